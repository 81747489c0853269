"""Classification: emotions on RAVDESS, actions on NTU RGB+D."""

import torch.nn.functional as F
from torch import Tensor

from models.contracts import Batch, Prediction
from models.metrics import classification_metrics
from models.tasks.base import Task


class Classification(Task):
    """One label a clip; the scores of a prediction are `(B, classes)`, the largest wins."""

    @staticmethod
    def criterion(scores: Tensor, labels: Tensor) -> Tensor:
        """Return the cross entropy."""
        return F.cross_entropy(scores, labels)

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        return classification_metrics(scores, labels)

    def batch_metrics(self, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
        hits = prediction.scores.argmax(1) == batch["label"]
        return {"accuracy": 100 * hits.float().mean()}
