"""Rows of a packed set as batches."""

import os
from collections.abc import Mapping, Sequence
from io import BufferedReader
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from datamodules.packed.batch import Batch, Change, Draw
from datamodules.packed.sampling import EpochSampler
from datamodules.packed.workers import settle_start_method


class RowsOnDisk:
    """Rows of an array file, of which the system is told before they are read.

    Rows of a shuffled batch lie far apart. Read through a memory map, each fault fetches what lies
    around it as well: from a cold disk, clips of 4.5 MB took twice as long, and three times the
    bytes. What is in memory already is not read again.

    Args:
        file: the memory map of a whole `.npy` file in C order.
    """

    def __init__(self, file: np.memmap) -> None:
        self.path, self.start = Path(str(file.filename)), file.offset
        self.bytes = file.nbytes // max(len(file), 1)  # of a row
        self._opened: BufferedReader | None = None

    @classmethod
    def of(cls, array: np.ndarray) -> "RowsOnDisk | None":
        """Return those of an array that lies on disk as it is; `None` for any other."""
        file = array if isinstance(array, np.memmap) else array.base
        # A part of a memory map is one too, and states the offset of the whole.
        if not isinstance(file, np.memmap) or not isinstance(file.base, mmap):
            return None
        same = file.shape == array.shape and file.ctypes.data == array.ctypes.data
        known = hasattr(os, "posix_fadvise")  # not on macOS and Windows
        in_order = file.flags.c_contiguous and file.filename is not None
        return cls(file) if same and known and in_order else None

    def announce(self, rows: np.ndarray) -> None:
        """Tell that these rows are read next; returns before they are."""
        self._opened = self._opened or self.path.open("rb")  # in each process anew
        file = self._opened.fileno()
        for row in rows.tolist():
            start = self.start + row * self.bytes
            os.posix_fadvise(file, start, self.bytes, os.POSIX_FADV_WILLNEED)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}  # an open file goes to no other process


class PackedRows(Dataset[Batch]):
    """Whole batches straight from the arrays: indexed with a list of `(row, epoch)` pairs.

    Args:
        arrays: modality -> (N, ...), in the order of the batch.
        labels: (N, ...).
        seed: of the run; with epoch and row it decides what is drawn.
        draws: modality -> function of (shape of one sample, generator) that draws its augmentation.
            What it returns stands in the batch as `<modality>_drawn`, to be done on the device.
        beside: name -> (N, ...), whose rows stay NumPy in the batch, and so with the processor:
            reading them back from a device would wait for everything that the device has to do.

    The attribute `changes`, array -> `Change`, says what is done to each sample as it is loaded;
    nothing unless somebody asks what a network makes of corrupted data.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        labels: np.ndarray,
        *,
        seed: int,
        draws: Mapping[str, Draw] | None = None,
        beside: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.arrays = dict(arrays)
        on_disk = (RowsOnDisk.of(array) for array in self.arrays.values())
        self.on_disk = [rows for rows in on_disk if rows is not None]
        self.labels = labels
        self.seed = seed
        self.draws = {name: draw for name, draw in (draws or {}).items() if name in arrays}
        self.beside = dict(beside or {})
        self.changes: Mapping[str, Change] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, pair: tuple[int, int]) -> Batch:
        return self.__getitems__([pair])

    def __getitems__(self, pairs: Sequence[tuple[int, int]]) -> Batch:
        """The batch of these rows: every modality, `label`, `id` (the row), and what is NumPy."""
        rows = np.array([row for row, _ in pairs], dtype=np.int64)
        for file in self.on_disk:
            file.announce(rows)
        batch: Batch = {name: torch.from_numpy(self._load(name, rows)) for name in self.arrays}
        batch |= {"label": torch.from_numpy(self.labels[rows]), "id": torch.from_numpy(rows)}
        batch |= {name: array[rows] for name, array in self.beside.items()}
        for name, draw in self.draws.items():
            shape = self.arrays[name].shape[1:]
            generators = (np.random.default_rng((self.seed, epoch, row)) for row, epoch in pairs)
            batch[f"{name}_drawn"] = np.stack([draw(shape, generator) for generator in generators])
        return batch

    def _load(self, name: str, rows: np.ndarray) -> np.ndarray:
        loaded = self.arrays[name][rows]
        if name not in self.changes:
            return loaded
        change = self.changes[name]
        changed = [change(x, row) for x, row in zip(loaded, rows.tolist(), strict=True)]
        return np.stack(changed).astype(loaded.dtype, copy=False)


def batches(
    dataset: PackedRows, rows: np.ndarray, *, batch_size: int, shuffle: bool, workers: int
) -> DataLoader[Batch]:
    """Loader over some rows of a data set.

    A last training batch of a single sample is left out: BatchNorm cannot train on it. Only the
    workers of training outlast an epoch: with those of every evaluation split beside them there
    would be three times as many processes as were asked for, most of them idle.
    """
    if workers:
        settle_start_method()
    sampler = EpochSampler(rows, seed=dataset.seed, shuffle=shuffle)
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        drop_last=shuffle and len(sampler) % batch_size == 1 and len(sampler) > 1,
        num_workers=workers,
        persistent_workers=shuffle and workers > 0,
        collate_fn=_as_it_is,
        pin_memory=torch.cuda.is_available(),
    )


def _as_it_is(batch: Any) -> Any:
    return batch
