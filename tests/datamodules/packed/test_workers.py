"""Processes that are started from a process of the user's, and from a worker of joblib's."""

import multiprocessing
import os
from collections.abc import Callable

import numpy as np
import pytest
from joblib.externals.loky import ProcessPoolExecutor

from datamodules.packed.rows import PackedRows, batches
from datamodules.packed.workers import worker_pool


def pool() -> list[int]:
    with worker_pool(1) as started:
        assert started.submit(os.getpid).result() != os.getpid()
        return list(started.map(abs, [-1, 2]))


def loader() -> list[int]:
    labels = np.array([1, 2], np.int64)
    rows = PackedRows({"x": np.ones((2, 3), np.float32)}, labels, seed=0)
    (batch,) = batches(rows, np.arange(2), batch_size=2, shuffle=False, workers=1)
    return batch["label"].tolist()


def in_joblib(work: Callable[[], list[int]]) -> tuple[str, list[int]]:
    return multiprocessing.get_start_method(), work()


@pytest.mark.parametrize("work", [pool, loader])
def test_in_this_process(work: Callable[[], list[int]]) -> None:
    method = multiprocessing.get_start_method()
    assert work() == [1, 2]
    assert multiprocessing.get_start_method() == method


@pytest.mark.parametrize("work", [pool, loader])
def test_in_a_worker_of_joblib(work: Callable[[], list[int]]) -> None:
    """As in a sweep with `hydra/launcher=joblib` that renders a sample, packs, or has loaders."""
    with ProcessPoolExecutor(1) as joblib:
        assert joblib.submit(in_joblib, work).result() == ("loky", [1, 2])
