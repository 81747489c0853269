"""Which rows of a sequence belong to a stretch of time, and their means.

The rules are those of the CMU multimodal SDK's `align`: a row belongs to a stretch if what remains
of it inside the stretch is longer than `EPSILON`. Nothing is weighted by how much remains, so a row
on a boundary belongs to both sides.
"""

from dataclasses import dataclass

import numpy as np

EPSILON = 1e-5  # seconds


@dataclass(frozen=True)
class Timeline:
    """Rows of one video in the order of time, without those that last no longer than `EPSILON`."""

    row: np.ndarray  # (n,) where the row stands in the file
    start: np.ndarray  # (n,) seconds, ascending
    end: np.ndarray  # (n,) seconds
    reach: np.ndarray  # (n,) latest end so far: rows may overlap each other

    @classmethod
    def of(cls, intervals: np.ndarray) -> "Timeline":
        """Sort (n, 2) intervals; rows that start together stay in the order of the file."""
        row = np.argsort(intervals[:, 0], kind="stable")
        row = row[intervals[row, 1] - intervals[row, 0] > EPSILON]
        start, end = intervals[row].T
        return cls(row, start, end, np.maximum.accumulate(end))

    def overlapping(self, stretches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows that belong to each stretch of time.

        Args:
            stretches: (k, 2) begin and end in seconds; one of no length has no rows.

        Returns:
            Two arrays (m,): the number of the stretch, ascending, and the number of a row of the
            file that belongs to it, in the order of time.
        """
        begin, end = stretches[:, 0], stretches[:, 1]
        lasting = end - begin > EPSILON
        first = np.searchsorted(self.reach, begin + EPSILON, side="right")  # (k,)
        after = np.searchsorted(self.start, end - EPSILON, side="left")  # (k,)
        number = np.where(lasting, np.maximum(after - first, 0), 0)
        which = np.repeat(np.arange(len(stretches)), number)  # (m,)
        before = np.cumsum(number) - number
        found = np.arange(len(which)) - before[which] + first[which]
        kept = self.end[found] > begin[which] + EPSILON
        return which[kept], self.row[found[kept]]


def means(features: np.ndarray, which: np.ndarray, stretches: int) -> np.ndarray:
    """Unweighted mean of the rows of each stretch.

    Args:
        features: (m, d) the rows that belong to the stretches.
        which: (m,) their stretch, ascending.
        stretches: how many there are.

    Returns:
        (stretches, d) float64; zeros where a stretch has no row.
    """
    averages = np.zeros((stretches, features.shape[1]))
    present, first, number = np.unique(which, return_index=True, return_counts=True)
    if len(present):
        sums = np.add.reduceat(features.astype(np.float64), first, axis=0)
        averages[present] = sums / number[:, None]
    return averages


def pad_left(features: np.ndarray, steps: int) -> np.ndarray:
    """Keep the last `steps` rows of (n, d), filled up with zeros before: (steps, d) float32."""
    padded = np.zeros((steps, features.shape[1]), np.float32)
    kept = features[-steps:]
    padded[steps - len(kept) :] = kept
    return padded
