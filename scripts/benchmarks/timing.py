"""Fair timing on a busy machine: candidates run in turn, undisturbed, and medians are compared."""

import ctypes
import resource
import statistics
import time
from collections.abc import Callable, Mapping

Candidates = Mapping[str, Callable[[], object]]
WARM_UP = 5
MOST_TRIES = 5


def time_in_turn(candidates: Candidates, rounds: int) -> dict[str, list[float]]:
    """Run every candidate once per round, and give the seconds of each by round.

    Every second round runs backwards, so that none has the better place in the cache.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(WARM_UP + rounds):
        for name in list(candidates)[:: 1 if round_number % 2 else -1]:
            passed = time_undisturbed(candidates[name])
            if round_number >= WARM_UP:
                seconds[name].append(passed)
    return seconds


def time_undisturbed(step: Callable[[], object]) -> float:
    """The seconds of one call, repeated while other processes took the processor from it."""
    passed = 0.0
    for _ in range(MOST_TRIES):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        start = time.perf_counter()
        step()
        passed = time.perf_counter() - start
        if resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw == before:
            break
    return passed


def milliseconds(seconds: list[float]) -> float:
    """The median, in milliseconds."""
    return 1000 * statistics.median(seconds)


def ratio(slower: list[float], faster: list[float]) -> float:
    """How many times as long the first takes: the median over rounds, each judged by itself."""
    return statistics.median(a / b for a, b in zip(slower, faster, strict=True))


def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed; true where that worked.

    Otherwise it hands large maps back to the system, and the page faults of fetching them again,
    often longer than the work itself, fall on whichever candidate happens to run next.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    most = 2**31 - 1
    return bool(mallopt and mallopt(trim_threshold, most) and mallopt(mmap_threshold, most))
