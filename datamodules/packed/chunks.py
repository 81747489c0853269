"""Work on many samples in parallel processes, in chunks that survive a kill.

A chunk is finished when its `.json` exists: it is renamed into place after its arrays, so whatever
a kill leaves behind is either whole or ignored and done again.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.packed.dataset import write_atomically
from datamodules.packed.errors import DataError, reading
from datamodules.packed.workers import worker_pool

CHUNK = 16  # samples; one chunk is what a kill can lose per worker


@dataclass(frozen=True)
class Prepared:
    """One sample's arrays, what to count it under (`padded`, ...), and what to warn about.

    `counts` are of things inside the sample, such as values, and are added up over all samples.
    Arrays of one modality may differ in size; they are padded with zeros behind, to the largest.
    """

    arrays: dict[str, np.ndarray]
    marks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


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
        One record an item: `dropped` (the reason, empty where it is kept), `marks`, `warnings`,
        `counts` and `arrays` (type and shape of each).
    """
    numbers = range(-(-len(items) // CHUNK))
    left = [n for n in numbers if not chunk_record(folder, n).is_file()]
    done(sum(len(_chunk(items, n)) for n in numbers if n not in set(left)))
    if left:
        with worker_pool(min(workers, len(left))) as pool:
            futures = {
                pool.submit(_work_on_chunk, _chunk(items, n), work, folder, n): n for n in left
            }
            for future in as_completed(futures):
                future.result()
                done(len(_chunk(items, futures[future])))
    return [r for n in numbers for r in _read(chunk_record(folder, n))]


def _read(path: Path) -> list[dict[str, Any]]:
    with reading(path, f"remove {path.parent}, and prepare again"):
        return json.loads(path.read_text())


def largest(shapes: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """The smallest shape that has room for arrays of these shapes, all of one rank."""
    return tuple(max(sizes) for sizes in zip(*shapes, strict=True))


def padded(arrays: Sequence[np.ndarray], shape: Sequence[int] | None = None) -> np.ndarray:
    """Stack arrays of one rank and type, (N, *shape), with zeros behind the smaller ones.

    Args:
        arrays: N of them.
        shape: has room for each; by default that of the largest.
    """
    shape = largest(array.shape for array in arrays) if shape is None else tuple(shape)
    stacked = np.zeros((len(arrays), *shape), arrays[0].dtype)
    for row, array in enumerate(arrays):
        place: tuple[int | slice, ...] = (row, *map(slice, array.shape))
        stacked[place] = array
    return stacked


def record(**notes: Any) -> dict[str, Any]:
    """What became of a sample; kept, without anything to say, where nothing is given."""
    return {"dropped": "", "marks": [], "warnings": [], "counts": {}, "arrays": {}} | notes


def _chunk(items: Sequence[Any], number: int) -> Sequence[Any]:
    return items[number * CHUNK : (number + 1) * CHUNK]


def _work_on_chunk(items: Sequence[Any], work: Work, folder: Path, number: int) -> None:
    records: list[dict[str, Any]] = []
    kept: list[dict[str, np.ndarray]] = []
    for item in items:
        try:
            prepared = work(item)
        except DataError as error:
            records.append(record(dropped=str(error)))
            continue
        kept.append(prepared.arrays)
        layout = {name: [str(a.dtype), a.shape] for name, a in prepared.arrays.items()}
        notes = {name: getattr(prepared, name) for name in ("marks", "warnings", "counts")}
        records.append(record(**notes, arrays=layout))
    for modality in kept[0] if kept else ():
        path = chunk_array(folder, number, modality)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            np.save(file, padded([arrays[modality] for arrays in kept]))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    write_atomically(chunk_record(folder, number), json.dumps(records))
