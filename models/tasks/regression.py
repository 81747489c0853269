"""Regression: sentiment on CMU-MOSEI."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from models.fusions import Prediction
from models.metrics import regression_metrics
from models.tasks.base import Task


class Regression(Task):
    """One number a sample; the scores of a prediction are `(B, 1)`, its labels `(B,)`."""

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        return regression_metrics(scores, labels)

    def batch_metrics(self, prediction: Prediction, batch: Mapping[str, Tensor]) -> dict[str, Any]:
        return {"mae": (prediction.scores.squeeze(1) - batch["label"]).abs().mean()}
