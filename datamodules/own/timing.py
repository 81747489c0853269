"""Frames of a video by time, where its frame rate is not that of the data set, or varies."""

from collections.abc import Sequence

import numpy as np

_NEAR = 0.02  # a rate that differs by less is the same: 30 for 29.97
_LONGEST = 1.5  # of the mean: what a frame of an even rate lasts at most, as times are rounded
_ROUNDING = 1e-6


def mean_rate(times: np.ndarray) -> float:
    """Return frames a second, 0 for a single frame or where times are not known."""
    return float((len(times) - 1) / times[-1]) if len(times) > 1 and times[-1] > 0 else 0.0


def is_even(times: np.ndarray, rate: float | None = None) -> bool:
    """Say whether frames come evenly, and at this rate or very near to it if one is given.

    Where a file does not state times, nothing is known but the order of its frames: so they do.

    Args:
        times: (F,) seconds, ascending from 0; NaN where they are not stated.
        rate: frames a second.
    """
    if np.isnan(times).any():
        return True
    mean = mean_rate(times)
    if not mean:
        return False
    near = rate is None or abs(mean / rate - 1) < _NEAR
    return near and bool(np.diff(times).max() * mean < _LONGEST)


def at_rate(times: np.ndarray, rate: float) -> Sequence[int]:
    """Return which frame is shown at the times 0, 1 / rate, 2 / rate ... until the clip ends.

    The last frame is shown for as long as frames are on average; a single one is there once.

    Args:
        times: (F,) seconds, ascending from 0.
        rate: frames a second.
    """
    mean = mean_rate(times)
    length = times[-1] + (1 / mean if mean else 0.0)
    ticks = np.arange(max(int(length * rate + _ROUNDING), 1)) / rate
    shown = np.searchsorted(times, ticks + _ROUNDING, side="right") - 1
    return [int(number) for number in shown]
