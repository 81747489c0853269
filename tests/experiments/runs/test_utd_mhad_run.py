"""Runs of task=utd_mhad: a fusion starts from the unimodal runs of its fold, and so does `cs`."""

from collections.abc import Iterator
from pathlib import Path

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.experiments.conftest import CONFIGS
from tests.sample_data import session_folder
from tests.utd_mhad_data import tiny_utd_mhad

OVERRIDES = [
    "task=utd_mhad",
    "data=full",
    "datamodule.depth.size=16",
    "datamodule.depth.frames=4",
    "datamodule.skeleton.frames=16",
    "datamodule.inertial.steps=32",
    "epochs=1",
    "progress=false",
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield tiny_utd_mhad(session_folder(tmp_path_factory))[1]


def made(packed: Path, results: Path, *overrides: str) -> Run:
    every = Overrides([*OVERRIDES, f"data.root={packed}", f"results={results}", *overrides])
    return Run(every, Console(quiet=True))


def test_a_fusion_of_three_starts_from_its_unimodal_runs(packed: Path, tmp_path: Path) -> None:
    run = made(packed, tmp_path, "modalities=[skeleton,inertial,depth]", "fold=2")
    assert list(run.sources) == ["skeleton", "inertial", "depth"]
    run.complete()
    assert all(source.folder.complete for source in run.sources.values())
    with np.load(run.folder.path / "predictions.npz") as file:
        tested = {name.split("_")[1] for name in file["ids"].tolist()}
        assert "scores_val_selected" in file
    assert tested == {"s3"}


def test_cross_subject(packed: Path, tmp_path: Path) -> None:
    run = made(packed, tmp_path, "fusion=none", "modalities=[inertial]", "fold=cs")
    run.complete()
    with np.load(run.folder.path / "predictions.npz") as file:
        tested = {name.split("_")[1] for name in file["ids"].tolist()}
    assert tested == {"s2", "s4", "s6", "s8"}


def test_what_is_replaced_is_in_the_hash_and_in_the_unimodal_runs(
    packed: Path, tmp_path: Path
) -> None:
    plain = made(packed, tmp_path)
    replaced = made(packed, tmp_path, "datamodule.replaced.share=0.6")
    assert plain.hash != replaced.hash
    pairs = zip(plain.sources.values(), replaced.sources.values(), strict=True)
    assert all(one.hash != other.hash for one, other in pairs)
