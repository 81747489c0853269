"""Worker processes, started from a process of the user's and from a worker of joblib's."""

import multiprocessing
import os

from joblib import Parallel, delayed

from datamodules.packed.workers import worker_pool


def work() -> tuple[list[int], str, str]:
    """Return what a pool's process made, and the start method before and after."""
    before = multiprocessing.get_start_method()
    with worker_pool(1) as pool:
        made = list(pool.map(abs, [-1, 2]))
        other = pool.submit(os.getpid).result()
    assert other != os.getpid()
    return made, before, multiprocessing.get_start_method()


def test_a_pool_of_this_process() -> None:
    made, before, after = work()
    assert made == [1, 2] and before == after


def test_a_pool_in_a_worker_of_joblib() -> None:
    """As where a sweep with `hydra/launcher=joblib` renders a sample or packs sound."""
    found = Parallel(n_jobs=2, backend="loky")(delayed(work)() for _ in range(2))
    assert found == [([1, 2], "loky", "loky")] * 2
