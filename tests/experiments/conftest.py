"""Runs of the real configuration on a tiny datamodule, in a folder of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.runs.overrides import Overrides
from experiments.runs.run import Run

CONFIGS = str(Path(__file__).parents[2] / "configs")
OVERRIDES = [
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
    """Make a run from overrides, with results under the test's own folder."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):

        def make(*overrides: str, results: str = "results") -> Run:
            every = Overrides([*OVERRIDES, f"results={tmp_path / results}", *overrides])
            return Run(every, Console(quiet=True))

        yield make
