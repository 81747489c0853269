"""How a regression of sentiment behaves over its range: by true label, and by predicted value."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = np.arange(-3, 4)
BINS = 10


@dataclass(frozen=True)
class LevelReport:
    """Predictions beside labels, and the figures of each rounded label and of each tenth.

    Args:
        predicted: `(N,)`.
        labels: `(N,)`.
        repeats: how often each sample is among them, where several runs predict the same ones.
    """

    predicted: np.ndarray
    labels: np.ndarray
    repeats: int = 1

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each rounded label, halves to the even one, that any sample has.

        `label`, `n`, `mean_label`, `mean_prediction`, `spread` (standard deviation of the
        predictions), `mae`, `acc7` (per cent of predictions that round to it).
        """
        true, found = (np.clip(np.rint(x), -3, 3) for x in (self.labels, self.predicted))
        rows = []
        for level in LEVELS[np.isin(LEVELS, true)]:
            here = true == level
            predicted, labels = self.predicted[here], self.labels[here]
            rows.append(
                {
                    "label": int(level),
                    "n": int(here.sum()),
                    "mean_label": float(labels.mean()),
                    "mean_prediction": float(predicted.mean()),
                    "spread": float(predicted.std()),
                    "mae": float(np.abs(predicted - labels).mean()),
                    "acc7": 100 * float((found[here] == level).mean()),
                }
            )
        return rows

    def calibration(self) -> list[dict[str, Any]]:
        """Return a row for each tenth of the samples, from the lowest prediction to the highest.

        `n`, `mean_prediction`, `mean_label` and its standard error `error`, for which a sample
        counts once however often it is there. Where predictions are calibrated, the two means
        agree.
        """
        order = np.argsort(self.predicted, kind="stable")
        parts = [part for part in np.array_split(order, BINS) if len(part)]
        return [
            {
                "n": len(part),
                "mean_prediction": float(self.predicted[part].mean()),
                "mean_label": float(self.labels[part].mean()),
                "error": self._error(self.labels[part]),
            }
            for part in parts
        ]

    def _error(self, labels: np.ndarray) -> float | None:
        if len(labels) < 2:
            return None
        return float(labels.std(ddof=1) / np.sqrt(len(labels) / self.repeats))


def level_report(predicted: np.ndarray, labels: np.ndarray, repeats: int = 1) -> LevelReport:
    """Compare predictions `(N,)` with labels `(N,)`, both in [-3, 3], in double precision."""
    return LevelReport(predicted.astype(np.float64), labels.astype(np.float64), repeats)
