"""Worker processes for decoding and rendering, their progress bar, and one job at a time."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path

from datamodules.packed.errors import DataError


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes of one thread each, gone as soon as this process is.

    Spawned, not forked: the caller may hold threads (torch, OpenCV) that do not survive a fork.
    """
    settle_start_method()
    context = multiprocessing.get_context("spawn")
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))  # read when a worker imports numpy
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        yield pool
    except BrokenProcessPool as error:
        pool.shutdown(wait=False, cancel_futures=True)
        raise DataError(
            "a worker process was killed or could not start, as where memory runs out: what is "
            "finished is kept, and the same command goes on; try it with fewer than "
            f"workers={workers}"
        ) from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        pool.shutdown()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def settle_start_method() -> None:
    """Let processes be started from a worker of joblib's, by the platform's own default.

    The default in such a worker is joblib's own method. A loader's workers cannot be started by it,
    and a spawned process, which takes over its parent's default, does not know it and dies.
    """
    known = multiprocessing.get_all_start_methods()  # the platform's default comes first
    if multiprocessing.get_start_method() not in known:
        multiprocessing.set_start_method(known[0], force=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait([sentinel]), os._exit(1)), daemon=True).start()


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Bar with the time left; the function that it yields is told what has been done since."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bars:
        bar = bars.add_task("", total=total)
        yield lambda samples: bars.advance(bar, samples)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold the lock beside a folder, so that no other process makes the same one.

    Raises:
        DataError: another process holds it.
    """
    from filelock import FileLock, Timeout

    out.parent.mkdir(parents=True, exist_ok=True)
    path = out.with_name(f"{out.name}.lock")
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout as error:
        raise DataError(
            f"{out}: another process is preparing it (it holds {path}); "
            "wait for it, or choose another out"
        ) from error
