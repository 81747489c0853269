"""Work on many samples in parallel processes, in chunks that survive a kill.

A chunk is finished when its `.json` exists: it is renamed into place after its arrays, so whatever
a kill leaves behind is either whole or ignored and done again.
"""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.errors import DataError
from datamodules.prepare.packed import write_atomically

CHUNK = 16  # samples; one chunk is what a kill can lose per worker


@dataclass(frozen=True)
class Prepared:
    """One sample's arrays, what to count it under (`padded`, ...), and what to warn about."""

    arrays: dict[str, np.ndarray]
    marks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


Work = Callable[[Any], Prepared]  # raises DataError where the sample has to be dropped


def chunk_record(folder: Path, number: int) -> Path:
    """The file that says what became of each sample of a finished chunk."""
    return folder / f"chunk-{number:05d}.json"


def chunk_array(folder: Path, number: int, modality: str) -> Path:
    """The array of one modality of a chunk: its kept samples."""
    return folder / f"chunk-{number:05d}.{modality}.npy"


def run_chunks(
    items: Sequence[Any], work: Work, folder: Path, *, workers: int, done: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Work on every item, or on those that an earlier call left over.

    Args:
        items: the samples, in the order of the result; they and `work` have to be picklable.
        work: called on one item in a worker process.
        folder: where the chunks lie.
        workers: number of processes, at least 1. Never this process: sums round differently on
            two threads than on one, and the result must not depend on who works.
        done: called with the number of samples that a finished chunk holds.

    Returns:
        One record an item: `dropped` (the reason, empty where it is kept), `marks`, `warnings` and
        `arrays` (type and shape of each).
    """
    numbers = range(-(-len(items) // CHUNK))
    left = [n for n in numbers if not chunk_record(folder, n).is_file()]
    done(sum(len(_chunk(items, n)) for n in numbers if n not in set(left)))
    if left:
        with _pool(min(workers, len(left))) as pool:
            futures = {
                pool.submit(_work_on_chunk, _chunk(items, n), work, folder, n): n for n in left
            }
            for future in as_completed(futures):
                future.result()
                done(len(_chunk(items, futures[future])))
    return [r for n in numbers for r in json.loads(chunk_record(folder, n).read_text())]


def _chunk(items: Sequence[Any], number: int) -> Sequence[Any]:
    return items[number * CHUNK : (number + 1) * CHUNK]


def _work_on_chunk(items: Sequence[Any], work: Work, folder: Path, number: int) -> None:
    records: list[dict[str, Any]] = []
    kept: list[dict[str, np.ndarray]] = []
    for item in items:
        try:
            prepared = work(item)
        except DataError as error:
            records.append({"dropped": str(error), "marks": [], "warnings": [], "arrays": {}})
            continue
        kept.append(prepared.arrays)
        layout = {name: [str(a.dtype), a.shape] for name, a in prepared.arrays.items()}
        notes = {"marks": prepared.marks, "warnings": prepared.warnings, "arrays": layout}
        records.append({"dropped": "", **notes})
    for modality in kept[0] if kept else ():
        path = chunk_array(folder, number, modality)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            np.save(file, np.stack([arrays[modality] for arrays in kept]))
        beside.replace(path)
    write_atomically(chunk_record(folder, number), json.dumps(records))


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes of one thread each, gone as soon as this process is.

    Spawned, not forked: the caller may hold threads (torch, OpenCV) that do not survive a fork.
    """
    context = multiprocessing.get_context("spawn")
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))  # read when a worker imports numpy
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        yield pool
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


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait([sentinel]), os._exit(1)), daemon=True).start()
