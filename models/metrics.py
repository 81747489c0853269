"""Metrics of a whole evaluation split, computed once from all its scores."""

import torch
from torch import Tensor
from torchmetrics.functional import classification, regression


def classification_metrics(scores: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy in per cent, five decimals: `accuracy` (top 1), `top2`, `top4` for more classes.

    Args:
        scores: `(N, K)`, the larger the likelier; logits or probabilities.
        labels: `(N,)` class indices.
    """
    classes = scores.shape[1]
    names = {1: "accuracy", 2: "top2", 4: "top4"}
    accuracy = classification.multiclass_accuracy
    return {
        name: _per_cent(accuracy(scores, labels, classes, average="micro", top_k=k))
        for k, name in names.items()
        if k < classes
    }


def regression_metrics(scores: Tensor, labels: Tensor) -> dict[str, float]:
    """Metrics of sentiment in [-3, 3] (paper 5.2), accuracies and F1 in per cent, five decimals.

    * `mae`: mean absolute error over the whole split. The released code averages the means of its
      batches, of which the last one is shorter.
    * `corr`: Pearson's correlation; 0 where one side is constant, for which it is not defined.
    * `acc7`: both sides rounded to the nearest integer, halves to the even one, and clipped.
    * `acc2`, `f1`: negative against positive; samples with label 0 are left out, a prediction of
      exactly 0 counts as negative (the released code drops it). F1 is the mean of both classes'
      weighted by their size.
    * `has0_acc2`, `has0_f1`: negative against the rest, on all samples.

    Args:
        scores: `(N, 1)` predictions.
        labels: `(N,)`.

    Raises:
        ValueError: if a prediction is no finite number, or every label is 0, so that nothing is
            left for `acc2`.
    """
    y, p = labels.double(), scores.squeeze(1).double()  # (N,) each
    if not p.isfinite().all():
        raise ValueError(
            f"{int((~p.isfinite()).sum())} of {len(p)} predictions are NaN or infinite: training "
            "diverged; lower training.optimizer.lr, or look for such values in the data"
        )
    sided = y != 0
    if not sided.any():
        raise ValueError("expected labels other than 0, for acc2 leaves these out; found none")
    seven_p, seven_y = (x.round().clamp(-3, 3).long() + 3 for x in (p, y))
    acc7 = classification.multiclass_accuracy(seven_p, seven_y, 7, average="micro")
    acc2, f1 = _two_classes(p[sided] > 0, y[sided] > 0)
    has0_acc2, has0_f1 = _two_classes(p >= 0, y >= 0)
    return {
        "mae": float(regression.mean_absolute_error(p, y)),
        "corr": _correlation(p, y),
        "acc7": _per_cent(acc7),
        "acc2": acc2,
        "f1": f1,
        "has0_acc2": has0_acc2,
        "has0_f1": has0_f1,
    }


def _correlation(p: Tensor, y: Tensor) -> float:
    constant = any(torch.equal(x, x[:1].expand_as(x)) for x in (p, y))
    return 0.0 if constant else float(regression.pearson_corrcoef(p, y))


def _two_classes(predicted: Tensor, true: Tensor) -> tuple[float, float]:
    """Return accuracy and weighted F1 in per cent."""
    accuracy = classification.binary_accuracy(predicted.long(), true.long())
    f1 = classification.multiclass_f1_score(predicted.long(), true.long(), 2, average="weighted")
    return _per_cent(accuracy), _per_cent(f1)


def _per_cent(share: Tensor) -> float:
    """Return a share in per cent, to the five decimals that single precision holds of it."""
    return round(100 * float(share), 5)
