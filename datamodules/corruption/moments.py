"""Mean and deviation of the training part, which corruptions are measured by."""

from dataclasses import dataclass

import numpy as np

_ROWS = 64  # read at a time, so that clips need not fit into memory


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation over training samples, each in the shape of a sample.

    Of sequences both are those of a step, over all steps that are no padding; the axis of time has
    length 1.
    """

    mean: np.ndarray
    deviation: np.ndarray


def training_moments(array: np.ndarray, rows: np.ndarray, *, time: int | None) -> Moments:
    """Work out mean and deviation over some rows of an array.

    Args:
        array: `(N, ...)`.
        rows: those of the training part.
        time: the axis of time in a sample, if samples are sequences: steps of zeros alone are
            padding and do not count.
    """
    count, total, squares = 0, np.float64(0), np.float64(0)
    first: np.ndarray | None = None
    for start in range(0, len(rows), _ROWS):
        part = array[rows[start : start + _ROWS]].astype(np.float64)
        if time is not None:
            every = np.moveaxis(part, 1 + time, 1)  # (B, T, ...)
            part = every[(every != 0).any(tuple(range(2, every.ndim)))]  # (S, ...)
        if first is None and len(part):
            first = part[0]  # squares are taken about it, or they would cancel
        if len(part):
            part = part - first
            count += len(part)
            total = total + part.sum(0)
            squares = squares + (part**2).sum(0)
    if first is None:  # nothing but padding
        shape = [1 if axis == time else size for axis, size in enumerate(array.shape[1:])]
        return Moments(np.zeros(shape), np.zeros(shape))
    shift = total / count
    variance = np.maximum(squares / count - shift**2, 0)
    found = first + shift, np.sqrt(variance)
    return Moments(*(x if time is None else np.expand_dims(x, time) for x in found))
