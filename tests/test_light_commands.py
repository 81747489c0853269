"""Which libraries a command imports: what only reads or plans has no use for those that train."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.commands import ENVIRONMENT, ROOT
from tests.experiments.conftest import CONFIGS
from tests.experiments.finished import experiment, finished_run

TRAINING = {"torch", "pytorch_lightning", "torchmetrics", "torchvision", "transformers"}
READING = {"cv2", "av", "h5py", "librosa", "soundfile", "torchaudio"}
CODE = """
import runpy, sys
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print("imported:", *sorted(sys.modules.keys() & set({names})))
"""


def imported(script: str, *overrides: str, names: set[str]) -> tuple[set[str], str]:
    """Which of these a command imports, and what it prints."""
    code = "import sys; sys.argv = sys.argv[1:]" + CODE.format(names=sorted(names))
    done = subprocess.run(
        [sys.executable, "-c", code, script, *overrides],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, _, found = done.stdout.rpartition("imported:")
    return set(found.split()), printed


def finished(place: Path) -> list[str]:
    return ["evaluate.py", f"run={finished_run(place)}", f"out={place / 'out'}"]


def compared(place: Path) -> list[str]:
    first, second = experiment(place / "first", skill=3.0), experiment(place / "second")
    return ["evaluate.py", f"run={first}", f"against={second}", f"out={place / 'out'}"]


def reported(place: Path) -> list[str]:
    finished_run(place)
    return ["scripts/report.py", f"in={place}", f"out={place / 'page.html'}"]


def planned(place: Path) -> list[str]:
    return ["scripts/reproduce.py", "table=audio", "dry_run=true", f"results={place}"]


def complete(place: Path) -> list[str]:
    """A run that is there already, which is skipped."""
    overrides = ["fusion=none", "modalities=[audio]", f"results={place}"]
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        run = Run(Overrides(overrides), Console(quiet=True))
    assert finished_run(run.folder.path.parents[1]) == run.folder.path
    return ["train.py", *overrides]


COMMANDS = [finished, compared, reported, planned, complete]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_what_reads_plans_or_skips_imports_nothing_that_trains(
    command: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    found, printed = imported(*command(tmp_path), names=TRAINING | READING)
    assert not found
    assert printed.strip()


def test_each_of_the_names_is_a_package() -> None:
    """Else a misspelt one would never be found."""
    assert all(find_spec(name) for name in TRAINING | READING)
