"""What a classifier takes for what: figures of each class and the confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torchmetrics.functional import classification as metrics


@dataclass(frozen=True)
class ClassReport:
    """How often each of K classes was recognised, and what it was taken for.

    Args:
        names: of the classes.
        confusion: `(K, K)` counts; a row is a true class, a column a predicted one.
        precision: `(K,)` in per cent, 0 for a class that was never predicted.
        recall: `(K,)` in per cent, 0 for a class that was predicted and has no samples.
        f1: `(K,)` in per cent.
    """

    names: tuple[str, ...]
    confusion: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Return the number of samples of each class, `(K,)`."""
        return self.confusion.sum(1)

    @property
    def shares(self) -> np.ndarray:
        """Return each row of the confusion matrix in per cent of its class, `(K, K)`."""
        return 100 * self.confusion / np.maximum(self.counts, 1)[:, None]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a class: `class`, `n`, `recall`, `precision`, `f1`."""
        columns = zip(self.names, self.counts, self.recall, self.precision, self.f1, strict=True)
        return [
            {"class": name, "n": int(n), "recall": float(r), "precision": float(p), "f1": float(f)}
            for name, n, r, p, f in columns
        ]


def class_report(scores: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> ClassReport:
    """Compare the highest score of each sample with its label.

    Classes that neither have samples nor were predicted are left out.

    Args:
        scores: `(N, K)`, the larger the likelier.
        labels: `(N,)` class indices.
        names: of the K classes.
    """
    predicted, target = torch.from_numpy(scores).argmax(1), torch.from_numpy(labels).long()
    count = len(names)
    figures = {
        key: 100 * measure(predicted, target, count, average="none").double().numpy()
        for key, measure in (
            ("precision", metrics.multiclass_precision),
            ("recall", metrics.multiclass_recall),
            ("f1", metrics.multiclass_f1_score),
        )
    }
    confusion = metrics.multiclass_confusion_matrix(predicted, target, count).numpy()
    there = np.flatnonzero(confusion.sum(0) + confusion.sum(1)).tolist()
    return ClassReport(
        tuple(names[k] for k in there),
        confusion[np.ix_(there, there)],
        **{key: values[there] for key, values in figures.items()},
    )
