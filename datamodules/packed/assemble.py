"""Finished chunks -> one plain array a modality."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from datamodules.packed.chunks import CHUNK, chunk_array, largest, padded
from datamodules.packed.dataset import INDEX, file_hash, write_index
from datamodules.packed.errors import DataError


def assemble(
    records: list[dict[str, Any]],
    index: Sequence[Mapping[str, object]],
    folder: Path,
    whole: Mapping[str, Path] | None = None,
) -> Path:
    """Join the chunks, deleting each once it is copied, so the disk never holds the data twice.

    Where a chunk belongs follows from the records alone, hence a killed assembly just goes on: a
    chunk that is gone has been copied.

    Args:
        records: what became of each sample, as `run_chunks` returns it.
        index: one row a sample.
        folder: where the chunks lie.
        whole: arrays that were made of all samples together, by modality: `.npy` files with one
            row for each sample.

    Returns:
        The folder with the arrays and the index of the kept samples.

    Raises:
        DataError: no sample was kept, or one of those in `whole` was not.
    """
    kept = [not record["dropped"] for record in records]
    if not any(kept):
        raise DataError(
            f"{folder.parent}: every sample was dropped, the first one because "
            f"{records[0]['dropped']}"
        )
    if whole and not all(kept):
        raise DataError(
            f"{folder.parent}: expected every sample to be kept, found that one was dropped: "
            f"{next(record['dropped'] for record in records if record['dropped'])}"
        )
    packed = folder / "packed"
    packed.mkdir(exist_ok=True)
    for modality, path in (whole or {}).items():
        _place(path, packed / f"{modality}.npy")
    layouts = [record["arrays"] for record in records if record["arrays"]]
    for modality, (dtype, _) in (layouts[0] if layouts else {}).items():
        shape = largest(layout[modality][1] for layout in layouts)
        path = packed / f"{modality}.npy"
        with path.open("r+b" if path.exists() else "w+b") as file:
            start = write_header(file, dtype, (sum(kept), *shape))
            row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape))
            for number in range(-(-len(kept) // CHUNK)):
                source = chunk_array(folder, number, modality)
                file.seek(start + row_bytes * sum(kept[: number * CHUNK]))
                _move(source, file, shape)
    write_index(packed / INDEX, [row for row, keep in zip(index, kept, strict=True) if keep])
    return packed


def _place(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def write_header(file: BinaryIO, dtype: str, shape: tuple[int, ...]) -> int:
    """Write the header of a `.npy` file; returns where its first row begins."""
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()


def _move(source: Path, file: BinaryIO, shape: tuple[int, ...]) -> None:
    # plain writes, not a memory map: a full disk is then an error instead of a dead process
    if source.exists():
        chunk = np.load(source)
        file.write((chunk if chunk.shape[1:] == shape else padded(chunk, shape)).tobytes())
        file.flush()
        os.fsync(file.fileno())
        source.unlink()


def describe_arrays(packed: Path) -> dict[str, dict[str, Any]]:
    """Shape, type and hash of every array of a folder, by modality."""
    described = {}
    for path in sorted(packed.glob("*.npy")):
        array = np.load(path, mmap_mode="r")
        described[path.stem] = {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "sha256": file_hash(path),
        }
    return described
