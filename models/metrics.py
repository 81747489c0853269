"""Metrics of a whole evaluation split, computed once from all its scores."""

from torch import Tensor
from torchmetrics.functional.classification import multiclass_accuracy


def classification_metrics(scores: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy in per cent: `accuracy` (top 1) and `top2`, `top4` where there are more classes.

    Args:
        scores: `(N, K)`, the larger the likelier; logits or probabilities.
        labels: `(N,)` class indices.
    """
    classes = scores.shape[1]
    names = {1: "accuracy", 2: "top2", 4: "top4"}
    return {
        name: 100 * float(multiclass_accuracy(scores, labels, classes, average="micro", top_k=k))
        for k, name in names.items()
        if k < classes
    }
