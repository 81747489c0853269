"""Rows of a packed set as batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.sampling import EpochSampler

Augmentation = Callable[[np.ndarray, np.random.Generator, np.ndarray], None]


class PackedRows(Dataset[dict[str, Tensor]]):
    """Whole batches straight from the arrays: indexed with a list of `(row, epoch)` pairs.

    Args:
        arrays: modality -> (N, ...), in the order of the batch.
        labels: (N, ...).
        seed: of the run; with epoch and row it decides the augmentation.
        augmentations: modality -> function of (sample, generator, output).
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        labels: np.ndarray,
        *,
        seed: int,
        augmentations: Mapping[str, Augmentation] | None = None,
    ) -> None:
        self.arrays = dict(arrays)
        self.labels = labels
        self.seed = seed
        self.augmentations = dict(augmentations or {})

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, pair: tuple[int, int]) -> dict[str, Tensor]:
        return self.__getitems__([pair])

    def __getitems__(self, pairs: Sequence[tuple[int, int]]) -> dict[str, Tensor]:
        """The batch of these rows: every modality, `label` and `id` (the row)."""
        rows = np.array([row for row, _ in pairs], dtype=np.int64)
        batch = {name: self._fetch(name, pairs, rows) for name in self.arrays}
        return batch | {"label": torch.from_numpy(self.labels[rows]), "id": torch.from_numpy(rows)}

    def _fetch(self, name: str, pairs: Sequence[tuple[int, int]], rows: np.ndarray) -> Tensor:
        array, augment = self.arrays[name], self.augmentations.get(name)
        if augment is None:
            return torch.from_numpy(np.ascontiguousarray(array[rows]))
        out = np.empty((len(rows), *array.shape[1:]), array.dtype)
        for target, (row, epoch) in zip(out, pairs, strict=True):
            augment(array[row], np.random.default_rng((self.seed, epoch, row)), target)
        return torch.from_numpy(out)


def batches(
    dataset: PackedRows, rows: np.ndarray, *, batch_size: int, shuffle: bool, workers: int
) -> DataLoader[dict[str, Tensor]]:
    """Loader over some rows of a data set.

    A last training batch of a single sample is left out: BatchNorm cannot train on it.
    """
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=EpochSampler(rows, seed=dataset.seed, shuffle=shuffle),
        drop_last=shuffle and len(rows) % batch_size == 1 and len(rows) > 1,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=_as_it_is,
        worker_init_fn=_begin_worker,
        pin_memory=torch.cuda.is_available(),
    )


def _as_it_is(batch: Any) -> Any:
    return batch


def _begin_worker(worker: int) -> None:
    import cv2

    cv2.setNumThreads(0)  # the workers are the parallelism
