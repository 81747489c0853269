"""Runs of task=ntu on its own datamodule: both protocols of testing, and what reports say."""

import csv
from collections.abc import Iterator
from pathlib import Path

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.report import footnote
from experiments.run import Run
from tests.experiments.conftest import CONFIGS
from tests.ntu_data import tiny_ntu
from tests.sample_data import session_folder

WORDS = [
    "task=ntu",
    "data=full",
    "modalities=[skeleton]",
    "fusion=none",
    "task.branches.skeleton.width=32",
    "datamodule.skeleton_frames=16",
    "datamodule.least_skeleton_frames=8",
    "epochs=1",
    "batch_size=16",
    "progress=false",
]
CLIPS = ["modalities=[video,skeleton]", "task.branches.video.width=8", "datamodule.size=32"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield tiny_ntu(session_folder(tmp_path_factory))[1]


def trained(packed: Path, results: Path, *words: str) -> Run:
    every = [*WORDS, f"data.root={packed}", f"results={results}", *words]
    run = Run(hydra.compose("train", every), every, Console(quiet=True))
    run.complete()
    return run


def samples(run: Run) -> set[str]:
    """The names of the test samples whose predictions were kept."""
    with np.load(run.folder.path / "predictions.npz") as file:
        return set(file["ids"].tolist())


@pytest.mark.parametrize(
    ("fold", "field", "ours"), [("cs", "P003", slice(8, 12)), ("cv", "C001", slice(4, 8))]
)
def test_what_is_tested(fold: str, field: str, ours: slice, packed: Path, tmp_path: Path) -> None:
    """Subject 3 alone of four is a test subject; camera 1 is the test camera."""
    with (packed / "index.csv").open() as lines:
        names = {row["id"] for row in csv.DictReader(lines)}
    run = trained(packed, tmp_path, f"fold={fold}")
    assert samples(run) == {name for name in names if name[ours] == field}
    assert "validation data" in footnote(run.folder, ["val_selected"])


def test_two_streams_as_released(packed: Path, tmp_path: Path) -> None:
    """An optimiser for each stream; test clips choose the epoch, and reports say so."""
    run = trained(
        packed,
        tmp_path,
        *CLIPS,
        "fusion=msaf",
        "training._target_=models.tasks.Alternating",
        "datamodule.video_frames=8",
        "datamodule.validation_part=test",
        "datamodule.validation_subjects=[3]",
    )
    with (run.folder.path / "log.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert {"train/video_loss", "train/skeleton_loss"} <= row.keys()
    assert row["validation/accuracy"] == row["test/accuracy"]  # the same subject
    assert "validation (part of the test) data" in footnote(run.folder, ["val_selected"])
