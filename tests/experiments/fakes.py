"""A datamodule with random features that carry their label, for tests of what a run is."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

Changes = dict[str, Callable[[torch.Tensor, int], torch.Tensor]]
SHAPES = {"audio": (13, 40), "action_units": (35,)}


class KilledError(Exception):
    """Stands for a kill in tests of one process."""


class Order(Sampler[int]):
    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed, self.epoch = size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + self.epoch)
        return iter(torch.randperm(self.size, generator=generator).tolist())


class Rows(Dataset[dict[str, torch.Tensor]]):
    def __init__(self, modalities: list[str], rows: range, changes: Changes | None = None) -> None:
        self.modalities, self.rows, self.changes = modalities, rows, changes or {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = self.rows[index]
        label = row % 8
        generator = torch.Generator().manual_seed(row)
        sample = {"label": torch.tensor(label), "id": torch.tensor(row)}
        for offset, name in enumerate(self.modalities):
            x = torch.randn(SHAPES[name], generator=generator)
            x[(label + offset) % 8] += 2
            sample[name] = self.changes[name](x, row) if name in self.changes else x
        return sample


class TinyData(pl.LightningDataModule):
    """Takes and ignores what the real datamodule needs; `splits` adds a validation split."""

    identity = manifest_hash = "0" * 64
    preparation: ClassVar[dict[str, Any]] = {}
    classes = None
    provenance = "sample"
    shapes = SHAPES

    def __init__(
        self, root: str, *, modalities: list[str], batch_size: int, seed: int, splits: int = 1,
        **other: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self.modalities, self.batch_size, self.seed = list(modalities), batch_size, seed
        self.evaluation_names = ["test", "validation"][:splits]
        self.ids = [f"clip{i}" for i in range(96)]
        self.changes: Changes = {}

    def lightning(self) -> pl.LightningDataModule:
        return self

    def train_dataloader(self) -> Any:
        rows = Rows(self.modalities, range(48))
        return DataLoader(rows, self.batch_size, sampler=Order(48, self.seed))

    def val_dataloader(self) -> Any:
        parts = [range(48, 72), range(72, 96)]
        return [DataLoader(Rows(self.modalities, part, self.changes), 10) for part in parts][
            : len(self.evaluation_names)
        ]

    def change_evaluation(self, changes: Changes) -> None:
        self.changes = changes


class Scaled:
    """A corruption that multiplies a modality by its strength."""

    unit = "times"
    needs_raw = False

    def __init__(self, strengths: list[float]) -> None:
        self.strengths = strengths

    def changes(self, data: TinyData, modality: str, strength: float, **places: Any) -> Changes:
        return {modality: lambda x, row: strength * x}


class SeeingData(TinyData):
    """Adds a line to the file `SEEN` for each training: process, its devices, modalities."""

    def train_dataloader(self) -> Any:
        line = f"{os.getpid()} {os.environ['CUDA_VISIBLE_DEVICES']} {'+'.join(self.modalities)}\n"
        with Path(os.environ["SEEN"]).open("a") as file:
            file.write(line)
        return super().train_dataloader()
