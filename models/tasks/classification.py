"""Classification: emotions on RAVDESS, actions on NTU RGB+D."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from models.fusions import Prediction
from models.metrics import classification_metrics
from models.tasks.base import Task


class Classification(Task):
    """One label a clip; the scores of a prediction are `(B, classes)`, the largest wins."""

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        return classification_metrics(scores, labels)

    def batch_metrics(self, prediction: Prediction, batch: Mapping[str, Tensor]) -> dict[str, Any]:
        hits = prediction.scores.argmax(1) == batch["label"]
        return {"accuracy": 100 * hits.float().mean()}
