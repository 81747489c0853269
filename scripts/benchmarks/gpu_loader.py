"""What the loader supplies from a packed set made on the spot, beside what a step needs."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np

from scripts.benchmarks.gpu_plan import Measurement, SkippedError
from scripts.benchmarks.gpu_report import Report, Row
from scripts.benchmarks.gpu_steps import RAVDESS
from scripts.benchmarks.gpu_timing import Bench
from scripts.benchmarks.loader import augmentation, pictures

CLIPS, TINY_CLIPS = 128, 32
DISTINCT = 2  # clips with pictures of their own; the others repeat them
BATCH = 4
WORKERS = (0, 4)
PREFETCHED = 2  # batches that a process of torch's loader reads in advance
PROBES = 16  # places of the file that are asked whether they lie in memory


def plan(bench: Bench) -> Iterator[Measurement]:
    """A pass over clips like RAVDESS's, from the system's cache and from the disk."""
    for workers in (0, 1) if bench.tiny else WORKERS:
        for cold in (False, True):
            names = {"file": "cold" if cold else "warm", "workers": str(workers)}
            yield Measurement("loader", names, measuring(workers, cold, bench), seconds=10.0)


def measuring(workers: int, cold: bool, bench: Bench) -> Callable[[], Row]:
    """What measures clips a second.

    The processes of a loader start once a training, so time runs from their first batch on. What
    they may have read in advance by then is not counted, so that the rate is the least it can be.
    """

    def measure() -> Row:
        clips, shape = CLIPS, (30, 224)
        if bench.tiny:
            clips, shape = TINY_CLIPS, (8, 40)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "video.npy")
            write_packed(path, clips, *shape)
            if cold and not forget(path):
                raise SkippedError(
                    "the system keeps the file in memory, as where the folder for temporary files "
                    "is not on a disk; set TMPDIR to one that is"
                )
            return {"clips_per_second": clips_per_second(path, workers)}

    return measure


def write_packed(path: Path, clips: int, frames: int, size: int) -> None:
    """Write a packed array of clips (N, T, H, W, 3), and wait until it lies on the disk."""
    distinct = pictures(DISTINCT, frames, size)
    shape = (clips, *distinct.shape[1:])
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for clip in range(clips):
        array[clip] = distinct[clip % DISTINCT]
    array.flush()
    del array  # the system forgets no page that a process maps
    with path.open("rb") as file:
        os.fsync(file.fileno())


def clips_per_second(path: Path, workers: int) -> float:
    """The rate of one pass in random order, with crops drawn, as in training."""
    video = np.load(path, mmap_mode="r")
    rows: Any = resolve_name("datamodules.packed.rows.PackedRows")(
        {"video": np.asarray(video)},
        np.zeros(len(video), np.int64),
        seed=0,
        draws={"video": augmentation("clip").draw},
    )
    loader: Any = resolve_name("datamodules.packed.rows.batches")(
        rows, np.arange(len(video)), batch_size=BATCH, shuffle=True, workers=workers
    )
    batches = iter(loader)
    if workers:
        next(batches)
    begin = time.perf_counter()
    passed = sum(len(batch["label"]) for batch in batches) - BATCH * PREFETCHED * workers
    return passed / (time.perf_counter() - begin)


def forget(path: Path) -> bool:
    """Let the system forget a file that lies on the disk; false where it keeps it in memory."""
    if not hasattr(os, "posix_fadvise"):  # on macOS and Windows
        return False
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return not in_memory(file.fileno(), path.stat().st_size)


def in_memory(descriptor: int, size: int) -> bool:
    """Whether most of a file can be read without the disk; false where the system cannot say."""
    found = 0
    for place in range(0, size, max(size // PROBES, 1)):
        # Raised where the page is not there, or where the file system cannot answer.
        with suppress(OSError):
            found += os.preadv(descriptor, [bytearray(1)], place, os.RWF_NOWAIT) > 0
    return found > PROBES // 2


def compare(report: Report) -> None:
    """Say of every row how many times as many clips it supplies as RAVDESS's fastest step needs."""
    steps = [row for row in report.rows("steps") if row["network"] == RAVDESS.name]
    rates = [float(row["clips_per_second"]) for row in steps]
    for row in report.rows("loader"):
        if rates:
            supplied = float(row["clips_per_second"])
            row["times_what_the_fastest_step_needs"] = supplied / max(rates)
