"""Mean and deviation of the training part, which corruptions are measured by."""

from dataclasses import dataclass

import numpy as np

_ROWS = 64  # read at a time, so that clips need not fit into memory


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation over training samples, each in the shape of a sample.

    Of sequences both are `(C,)`, over all steps that are no padding.
    """

    mean: np.ndarray
    deviation: np.ndarray


def training_moments(array: np.ndarray, rows: np.ndarray, *, steps: bool) -> Moments:
    """Work out mean and deviation over some rows of an array.

    Args:
        array: `(N, ...)`.
        rows: those of the training part.
        steps: samples are sequences `(T, C)`, whose rows of zeros are padding and do not count.
    """
    count, total, squares = 0, np.float64(0), np.float64(0)
    first: np.ndarray | None = None
    for start in range(0, len(rows), _ROWS):
        part = array[rows[start : start + _ROWS]].astype(np.float64)
        if steps:
            part = part[(part != 0).any(-1)]  # (S, C)
        if first is None and len(part):
            first = part[0]  # squares are taken about it, or they would cancel
        if len(part):
            part = part - first
            count += len(part)
            total = total + part.sum(0)
            squares = squares + (part**2).sum(0)
    if first is None:  # nothing but padding
        width = array.shape[-1:] if steps else array.shape[1:]
        return Moments(np.zeros(width), np.zeros(width))
    shift = total / count
    variance = np.maximum(squares / count - shift**2, 0)
    return Moments(first + shift, np.sqrt(variance))
