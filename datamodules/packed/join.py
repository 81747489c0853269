"""Packed parts -> the packed set that preparing everything at once would have made.

A data set that does not fit on the disk as a whole is prepared part by part, each from raw files
that may be deleted then: what they were stands in the part's manifest.
"""

import csv
import json
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from datamodules.packed.assemble import write_header
from datamodules.packed.dataset import (
    INDEX,
    MANIFEST,
    canonical_hash,
    file_hash,
    read_manifest,
    write_atomically,
    write_index,
)
from datamodules.packed.errors import DataError
from datamodules.packed.outcome import is_same, report
from datamodules.packed.parts import Manifest, Row, joined_key, joined_manifest
from datamodules.packed.workers import alone, progress


def join_parts(parts: Sequence[str | Path], out: str | Path) -> Path:
    """Join parts, sorted by the id of their samples, or go on where a killed call stopped.

    Each array of a part is deleted once it is copied, so the disk never holds the data twice. What
    else is in a part's folder is left to the caller.

    Args:
        parts: packed folders of one task, protocol and settings, none of whose samples is in two.
        out: the folder to make. Work in progress lies beside it in `<out>.joining`.

    Returns:
        The packed folder.

    Raises:
        DataError: the parts do not fit together, one is damaged, or `out` holds something else.
    """
    folders = [Path(part) for part in parts]
    out = Path(os.path.abspath(out))  # noqa: PTH100  (a link that leads to a larger disk is kept)
    manifests = [read_manifest(folder) for folder in folders]
    key = joined_key(folders, manifests)
    with alone(out):
        if is_same(out, key):
            return out
        started = time.time()
        rows = _sorted_rows(folders, manifests)
        packed = _begin(out, key)
        modalities = manifests[0]["modalities"]
        with progress("joining", len(modalities)) as done:
            for modality in modalities:
                _join(modality, folders, manifests, rows, packed / f"{modality}.npy")
                done(1)
        index = [row for _, row in rows]
        write_index(packed / INDEX, index)
        manifest = joined_manifest(key, manifests, packed, index, time.time() - started)
        write_atomically(packed / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        packed.replace(out)
        packed.parent.rmdir()
        report(manifest)
    return out


def _sorted_rows(folders: Sequence[Path], manifests: Sequence[Manifest]) -> list[tuple[int, Row]]:
    """The number of its part, and the row of the index, of each sample; each id once."""
    rows: list[tuple[int, Row]] = []
    for part, (folder, manifest) in enumerate(zip(folders, manifests, strict=True)):
        path = folder / INDEX
        if not path.is_file() or file_hash(path) != manifest["index"]["sha256"]:
            raise DataError(
                f"{path}: expected the index that the manifest describes, found another or none; "
                "prepare the part again"
            )
        with path.open(newline="") as file:
            rows += [(part, row) for row in csv.DictReader(file)]
    name = manifests[0]["index"]["columns"][0]
    rows.sort(key=lambda entry: entry[1][name])  # stable: within a part the order is kept
    for (_, row), (part, after) in pairwise(rows):
        if row[name] == after[name]:
            raise DataError(
                f"{folders[part]}: expected every sample in one part, found {row[name]} in two; "
                "leave one of them out"
            )
    return rows


def _begin(out: Path, key: dict[str, Any]) -> Path:
    """The folder of work in progress; one for other parts has arrays that exist nowhere else."""
    folder = out.with_name(f"{out.name}.joining") / canonical_hash(key)[:16]
    if folder.parent.is_dir() and not folder.is_dir() and any(folder.parent.iterdir()):
        raise DataError(
            f"{folder.parent}: expected nothing, found that other parts are being joined; continue "
            "that call first"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _join(
    modality: str,
    folders: Sequence[Path],
    manifests: Sequence[Manifest],
    rows: Sequence[tuple[int, Row]],
    path: Path,
) -> None:
    """Write the arrays of one modality into one; a part that lacks its own is copied already."""
    arrays = [folder / path.name for folder in folders]
    lost = [array for array in arrays if not array.exists()]
    if lost and not path.exists():
        raise DataError(f"{lost[0]}: expected an array, found none; prepare the part again")
    layout = manifests[0]["modalities"][modality]
    with path.open("r+b" if path.exists() else "w+b") as file:
        start = write_header(file, layout["dtype"], (len(rows), *layout["shape"][1:]))
        for part, array in enumerate(arrays):
            if array not in lost:
                places = [place for place, (one, _) in enumerate(rows) if one == part]
                _copy(array, manifests[part]["modalities"][modality]["sha256"], file, start, places)
                array.unlink()


def _copy(source: Path, wanted: str, file: BinaryIO, start: int, places: Sequence[int]) -> None:
    if file_hash(source) != wanted:
        raise DataError(
            f"{source}: expected the array that the manifest describes, found another; prepare the "
            "part again"
        )
    array = np.load(source, mmap_mode="r", allow_pickle=False)
    for place, row in zip(places, array, strict=True):
        file.seek(start + place * row.nbytes)
        file.write(row.tobytes())
    file.flush()
    os.fsync(file.fileno())
