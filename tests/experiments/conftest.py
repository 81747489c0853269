"""Runs of the real configuration on a tiny datamodule, in a folder of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.runs.run import Run

CONFIGS = str(Path(__file__).parents[2] / "configs")
WORDS = [
    "datamodule._target_=tests.experiments.fakes.TinyData",
    "data=full",
    "data.root=nowhere",
    "task.branches.audio.frames=40",
    "modalities=[audio,action_units]",
    "batch_size=8",
    "epochs=3",
    "progress=false",
]

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    """Compose a run from words, with results under the test's own folder."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):

        def make(*words: str, results: str = "results") -> Run:
            every = [*WORDS, f"results={tmp_path / results}", *words]
            return Run(hydra.compose("train", every), every, Console(quiet=True))

        yield make
