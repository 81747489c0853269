"""Regression: sentiment on CMU-MOSEI."""

import torch.nn.functional as F
from torch import Tensor

from models.contracts import Batch, Prediction
from models.metrics import regression_metrics
from models.tasks.base import Task


class Regression(Task):
    """One number a sample; the scores of a prediction are `(B, 1)`, its labels `(B,)`."""

    @staticmethod
    def criterion(scores: Tensor, labels: Tensor) -> Tensor:
        """Return the mean squared error."""
        return F.mse_loss(scores.squeeze(1), labels)

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        return regression_metrics(scores, labels)

    def batch_metrics(self, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
        return {"mae": (prediction.scores.squeeze(1) - batch["label"]).abs().mean()}
