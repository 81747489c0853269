"""A datamodule with random sequences that carry their sentiment, and overrides that train on it."""

from pathlib import Path
from typing import Any, ClassVar

import hydra
import pytorch_lightning as pl
import torch
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.experiments.conftest import CONFIGS
from tests.experiments.fakes import Order

STEPS = 6
SHAPES = {"visual": (35, STEPS), "audio": (74, STEPS), "text": (20, STEPS)}
SENTIMENT_OVERRIDES = [
    "task=mosei",
    "datamodule._target_=tests.experiments.sentiment.TinySentiment",
    "data=full",
    "data.root=nowhere",
    "task.branches.text.features=20",
    "batch_size=8",
    "epochs=3",
    "progress=false",
]


class Sequences(Dataset[dict[str, Tensor]]):
    """A row's label is a multiple of 1/3 in [-3, 3], and is added to the steps of each modality."""

    def __init__(self, modalities: list[str], rows: range) -> None:
        self.modalities, self.rows = modalities, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(self.rows[index])
        label = torch.randint(-9, 10, (), generator=generator) / 3
        sample = {"label": label, "id": torch.tensor(self.rows[index])}
        for name in self.modalities:
            noise = torch.randn(SHAPES[name], generator=generator)
            sample[name] = noise + 0.5 * label
            sample[f"{name}_length"] = 1 + torch.randint(STEPS, (), generator=generator)
        return sample


class TinySentiment(pl.LightningDataModule):
    """Trains on 48 rows, tests on 24 and selects on 24; takes and ignores all other settings."""

    identity = manifest_hash = "0" * 64
    preparation: ClassVar[dict[str, Any]] = {}
    classes = None
    provenance = "sample"
    shapes = SHAPES
    evaluation_names = ("test", "validation")

    def __init__(
        self, root: str, *, modalities: list[str], batch_size: int, seed: int, **other: Any
    ) -> None:
        super().__init__()
        self.modalities, self.batch_size, self.seed = list(modalities), batch_size, seed
        self.ids = [f"video{row}[0]" for row in range(96)]

    def lightning(self) -> pl.LightningDataModule:
        return self

    def train_dataloader(self) -> Any:
        rows = Sequences(self.modalities, range(48))
        return DataLoader(rows, self.batch_size, sampler=Order(48, self.seed))

    def val_dataloader(self) -> Any:
        parts = [range(48, 72), range(72, 96)]
        return [DataLoader(Sequences(self.modalities, part), 10) for part in parts]


def make_run(results: Path, *overrides: str) -> Run:
    """Compose a run from the real configuration on this data."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        every = Overrides([*SENTIMENT_OVERRIDES, f"results={results}", *overrides])
        return Run(every, Console(quiet=True))


def train(results: Path, *overrides: str) -> Run:
    """Complete a run; `complete` composes once more, for the parameters at the paper's size."""
    run = make_run(results, *overrides)
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        run.complete()
    return run
