"""Frames by time, against naive loops."""

import numpy as np
import pytest

from datamodules.own.timing import at_rate, is_even


def shown_at(times: np.ndarray, moment: float) -> int:
    """The last frame that has begun."""
    return max(number for number, time in enumerate(times) if time <= moment + 1e-6)


@pytest.mark.parametrize("rate", [8.0, 29.97, 60.0])
def test_each_moment_shows_the_frame_that_began_last(rate: float) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 40))
    times -= times[0]
    length = times[-1] * 40 / 39  # the last one lasts as long as the others do on average
    found = at_rate(times, rate)
    assert found == [shown_at(times, k / rate) for k in range(int(length * rate))]


def test_twice_the_rate_takes_every_second_frame() -> None:
    assert at_rate(np.arange(60) / 60, 30.0) == list(range(0, 60, 2))
    assert at_rate(np.arange(15) / 15, 30.0) == [k // 2 for k in range(30)]


def test_what_comes_evenly() -> None:
    ntsc = np.arange(120) * 1001 / 30000
    assert is_even(ntsc) and is_even(ntsc, 29.97) and is_even(ntsc, 30.0)
    assert not is_even(ntsc, 25.0)
    assert is_even(np.round(ntsc, 3), 29.97)  # a container that counts milliseconds
    gap = np.concatenate([ntsc, ntsc[-1] + 1 + ntsc])
    assert not is_even(gap) and not is_even(gap, 29.97)
    assert is_even(np.full(5, np.nan), 29.97)  # nothing is known but the order


def test_a_single_frame_is_there_once() -> None:
    assert not is_even(np.zeros(1), 30.0)
    assert at_rate(np.zeros(1), 30.0) == [0]
