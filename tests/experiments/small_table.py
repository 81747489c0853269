"""A small table on tiny data whose folds differ, and the command that fills it, in this process."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.global_hydra import GlobalHydra
from torch.utils.data import DataLoader

from experiments.runs.overrides import Overrides
from experiments.tables.reproduce import reproduce
from tests.experiments.conftest import CONFIGS, OVERRIDES
from tests.experiments.fakes import Order, Rows, TinyData

TABLE = """
title: "A small table"
folds: [0, 1]
seeds: [1, 2]
metrics: [accuracy]
reference: MSAF
overrides: [task=ravdess, "modalities=[audio,action_units]"]
rows:
  - {name: audio, overrides: [fusion=none, "modalities=[audio]"], paper: {accuracy: 56.53}}
  - {name: action units, overrides: [fusion=none, "modalities=[action_units]"]}
  - {name: sum, overrides: [fusion=sum], ours: true, note: a control.}
  - {name: average, overrides: [fusion=average], paper: {accuracy: 68.82, parameters: 25.92}}
  - {name: MSAF, overrides: [fusion=msaf], paper: {accuracy: 74.86, parameters: 25.94}}
"""
REPLACED = ("modalities", "epochs", "datamodule._target_")
USER_OVERRIDES = [
    *Overrides(OVERRIDES).without(*REPLACED),
    "datamodule._target_=tests.experiments.small_table.FoldedData",
    "epochs=2",
]


class FoldedData(TinyData):
    """Tests on 19 clips that depend on the fold, and trains on 48 others."""

    def __init__(self, root: str, *, fold: int | str, **other: Any) -> None:
        super().__init__(root, **other)
        self.start = 24 * fold if isinstance(fold, int) else 0

    def train_dataloader(self) -> Any:
        rows = Rows(self.modalities, range(self.start, self.start + 48))
        return DataLoader(rows, self.batch_size, sampler=Order(48, self.seed))

    def val_dataloader(self) -> Any:
        rows = Rows(self.modalities, range(self.start + 48, self.start + 67))
        return [DataLoader(rows, 10)]


def configs_with(place: Path, **tables: str) -> None:
    """Copy the configuration below `place`, and add tables to it."""
    shutil.copytree(CONFIGS, place / "configs")
    for name, text in tables.items():
        (place / "configs" / "table" / f"{name}.yaml").write_text(text)


def fill(place: Path, *overrides: str) -> int:
    """Run the command in this process, with configuration, results and table below `place`."""
    GlobalHydra.instance().clear()
    every = [*USER_OVERRIDES, f"results={place}/results", *overrides]
    return reproduce(place / "configs", Overrides(every))


def accuracies(place: Path, fusion: str, modalities: str, rule: str) -> np.ndarray:
    """Read the test accuracy of every run straight from its file, (folds, seeds)."""
    found = np.full((2, 2), np.nan)
    for file in place.glob(f"results/ravdess/full/{fusion}/{modalities}-paper-*/*/*/metrics.json"):
        metrics = json.loads(file.read_text())
        where = metrics["fold"], metrics["seed"] - 1
        found[where] = metrics["reported"][rule]["test"]["accuracy"]
    assert not np.isnan(found).any()
    return found
