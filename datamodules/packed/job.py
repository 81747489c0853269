"""Raw -> packed for any task: lock, check, work in chunks, assemble, rename."""

import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datamodules.packed.assemble import assemble, describe_arrays
from datamodules.packed.chunks import CHUNK, Work, record, run_chunks
from datamodules.packed.dataset import (
    FORMAT,
    INDEX,
    MANIFEST,
    canonical_hash,
    file_hash,
    write_atomically,
)
from datamodules.packed.errors import DataError
from datamodules.packed.outcome import is_same, report
from datamodules.packed.workers import alone, progress

_UNFINISHED = re.compile("[0-9a-f]{16}")  # the name of a folder of work in progress


@dataclass(frozen=True)
class PrepareJob:
    """What to pack.

    Everything but `items`, `work`, `whole` and the two estimates goes into the manifest.
    """

    task: str
    protocol: str
    provenance: str  # "real" or "sample"
    settings: dict[str, Any]  # those that act here
    source: dict[str, Any]  # files, bytes and digest of what is read
    index: Sequence[dict[str, object]]  # one row a sample, the first column is its id
    items: Sequence[Any]  # one a row, handed to `work`
    work: Work | None  # None where every array is in `whole`
    bytes_per_sample: int
    seconds_per_sample: float  # on one core
    dropped: dict[str, str] = field(default_factory=dict)  # known before any work: id -> reason
    counts: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    libraries: tuple[str, ...] = ()  # whose versions are noted
    # makes arrays of all samples together, in a folder that survives a kill: modality -> .npy file
    whole: Callable[[Path], Mapping[str, Path]] | None = None

    @property
    def key(self) -> dict[str, Any]:
        """What two packed sets have to agree in to be the same set."""
        return {
            "format": FORMAT,
            "task": self.task,
            "protocol": self.protocol,
            "provenance": self.provenance,
            "settings": self.settings,
            "source": self.source,
        }


def pack(job: PrepareJob, out: str | Path, *, workers: int) -> Path:
    """Make a packed set, or go on where a killed call stopped.

    Args:
        job: what to pack.
        out: the folder to make. Work in progress lies beside it in `<out>.partial`.
        workers: number of processes.

    Raises:
        DataError: `out` holds something else, another process works on it, the disk is too small,
            or every sample had to be dropped.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100  (a link that leads to a larger disk is kept)
    with alone(out):
        if is_same(out, job.key):
            return out
        started = time.time()
        folder = out.with_name(f"{out.name}.partial") / canonical_hash([job.key, CHUNK])[:16]
        _begin(job, out, folder, workers)
        records = _records(job, folder, workers)
        packed = assemble(records, job.index, folder, job.whole(folder) if job.whole else None)
        manifest = _manifest(job, records, packed, time.time() - started)
        write_atomically(packed / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        packed.replace(out)
        report(manifest)
        shutil.rmtree(folder)
        with suppress(OSError):  # somebody else's files lie there, too
            folder.parent.rmdir()
    return out


def _records(job: PrepareJob, folder: Path, workers: int) -> list[dict[str, Any]]:
    if job.work is None:
        return [record() for _ in job.items]
    with progress("preparing", len(job.items)) as done:
        return run_chunks(job.items, job.work, folder, workers=workers, done=done)


def _begin(job: PrepareJob, out: Path, folder: Path, workers: int) -> None:
    """Say how long and how large, check the disk, and clear what other settings left behind."""
    if not job.items:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(job.dropped.items())[:3])
        raise DataError(f"{out}: no sample is left to pack ({reasons or 'no file was found'})")
    for other in folder.parent.glob("*"):
        if other != folder and _UNFINISHED.fullmatch(other.name) and other.is_dir():
            print(
                f"removing {other.name} of {folder.parent}: left by a prepare with other settings"
            )
            shutil.rmtree(other)
    resumed = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    size = job.bytes_per_sample * len(job.items)
    free = shutil.disk_usage(folder).free
    minutes = job.seconds_per_sample * len(job.items) / workers / 60
    print(
        f"packing {len(job.items)} samples into {out}: {size / 1e9:.2f} GB, "
        f"about {max(minutes, 0.1):.1f} minutes or less with {workers} worker processes"
        + (", continuing an earlier call" if resumed else "")
    )
    if size * 1.02 > free + there:
        raise DataError(
            f"{out}: expected {size / 1e9:.1f} GB of free disk space, found {free / 1e9:.1f} GB; "
            "free some, or choose an out on another disk"
        )


def _manifest(
    job: PrepareJob, records: list[dict[str, Any]], packed: Path, seconds: float
) -> dict[str, Any]:
    name = next(iter(job.index[0]))
    pairs = [(str(row[name]), entry) for row, entry in zip(job.index, records, strict=True)]
    dropped = {**job.dropped, **{i: entry["dropped"] for i, entry in pairs if entry["dropped"]}}
    marks = Counter(mark for _, entry in pairs for mark in entry["marks"])
    for entry in records:
        marks.update(entry["counts"])
    kept = sum(not entry["dropped"] for entry in records)
    return {
        **job.key,
        "modalities": describe_arrays(packed),
        "index": {
            "rows": kept,
            "columns": list(job.index[0]),
            "sha256": file_hash(packed / INDEX),
        },
        "counts": {
            **job.counts,
            "packed": kept,
            "dropped": len(dropped),
            **dict(sorted(marks.items())),
        },
        "dropped": dict(sorted(dropped.items())),
        "warnings": [*job.warnings, *(f"{i}: {w}" for i, r in pairs for w in r["warnings"])],
        "made": {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "seconds": round(seconds, 1),
            "versions": {library: version(library) for library in job.libraries},
        },
    }
