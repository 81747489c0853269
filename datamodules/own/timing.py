"""Frames of a video by time, where its frame rate is not that of the data set, or varies."""

from collections.abc import Sequence

import numpy as np

_NEAR = 0.02  # a rate that differs by less is the same: 30 for 29.97


def is_even(times: np.ndarray, rate: float) -> bool:
    """Say whether frames come evenly, at this rate or very near to it.

    Args:
        times: (F,) seconds, ascending from 0; NaN where a file does not state them.
        rate: frames a second.
    """
    if np.isnan(times).any():
        return True  # nothing is known but their order
    steps = np.diff(times) * rate
    return bool(len(steps)) and bool((np.abs(steps.mean() - 1) < _NEAR) & (steps.max() < 1.5))


def at_rate(times: np.ndarray, rate: float) -> Sequence[int]:
    """Return which frame is shown at the times 0, 1 / rate, 2 / rate ... until the clip ends.

    The last frame is shown as long as frames are on average, but for a clip of a single one.

    Args:
        times: (F,) seconds, ascending from 0.
        rate: frames a second.
    """
    length = times[-1] + (times[-1] / (len(times) - 1) if len(times) > 1 else 0)
    ticks = np.arange(max(int(length * rate + 1e-6), 1)) / rate
    shown = np.searchsorted(times, ticks + 1e-6, side="right") - 1
    return [int(number) for number in shown]
