"""What a classifier takes for what: figures of each class and the confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


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

    Raises:
        ValueError: if a label is no index of a class.
    """
    count = len(names)
    if labels.size and not 0 <= labels.min() <= labels.max() < count:
        found = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"labels: expected indices of {count} classes, found {found}")
    pairs = count * labels.astype(np.int64) + scores.argmax(1)
    confusion = np.bincount(pairs, minlength=count**2).reshape(count, count)
    there = np.flatnonzero(confusion.sum(0) + confusion.sum(1)).tolist()
    confusion = confusion[np.ix_(there, there)]
    right, true, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return ClassReport(
        tuple(names[k] for k in there),
        confusion,
        precision=100 * right / np.maximum(predicted, 1),
        recall=100 * right / np.maximum(true, 1),
        f1=200 * right / (true + predicted),
    )
