"""Runs that cannot be measured are named and left out, or refused; none is averaged in silence."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.evaluation.attention import measure
from experiments.evaluation.finished import find_runs
from experiments.evaluation.reopen import reopen
from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.experiments.conftest import CONFIGS, OVERRIDES


def trained(results: Path, *overrides: str) -> Path:
    """Train a run on the tiny data; returns the folder of its experiment."""
    every = [*OVERRIDES, f"results={results}", "init=scratch", "epochs=1", *overrides]
    return Run(Overrides(every), Console(quiet=True)).complete().path.parents[1]


@pytest.fixture(scope="module")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An experiment of MSAF with two seeds."""
    results = tmp_path_factory.mktemp("results")
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        trained(results, "fusion=msaf", "seed=1")
        yield trained(results, "fusion=msaf", "seed=2")


@pytest.fixture
def place(two_seeds: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_seeds, tmp_path / "runs"))


def measured(place: Path) -> tuple[MeasuredRuns, str]:
    console = Console(width=1000)
    with console.capture() as said:
        found = measure_runs(str(place), trust=True, console=console)
    return found, said.get()


def seeds(found: MeasuredRuns) -> list[int]:
    assert [run.key for run in found.evaluation.runs] == list(found.by_run)
    return [seed for _, seed in found.by_run]


def test_every_run_is_measured_as_by_itself(place: Path) -> None:
    found, said = measured(place)
    assert (seeds(found), said) == ([1, 2], "")
    alone = measure(reopen(find_runs(str(place))[1], "last_epoch", trust=True))
    assert (found.by_run[0, 2].modules[0].blocks == alone.modules[0].blocks).all()
    assert "seeds 1, 2 (sample data)\nlast_epoch, test split, 2 runs" in found.title


def test_a_checkpoint_that_is_gone(place: Path) -> None:
    gone = place / "fold0/seed1/checkpoints/last_epoch.pt"
    gone.unlink()
    found, said = measured(place)
    assert seeds(found) == [2]
    assert said.startswith(f"left out: {gone}: expected a file of weights, found no such file")
    (place / "fold0/seed2/checkpoints/last_epoch.pt").unlink()
    with pytest.raises(RunError, match="none of the 2 complete runs could be opened again"):
        measured(place)


def test_weights_of_another_run(place: Path) -> None:
    other = place / "fold0/seed2/checkpoints/last_epoch.pt"
    shutil.copy(other, place / "fold0/seed1/checkpoints/last_epoch.pt")
    found, said = measured(place)
    assert seeds(found) == [2]
    assert "fold0/seed1/checkpoints/last_epoch.pt: its scores differ" in said


@pytest.mark.parametrize("text", ["{", "[1, 2]", "a: 1", "network: {_target_: os.system}"])
def test_a_configuration_that_is_none(place: Path, text: str) -> None:
    (place / "fold0/seed1/config.yaml").write_text(text)
    found, said = measured(place)
    assert seeds(found) == [2]
    assert said.startswith("left out: ")
    assert str(place / "fold0/seed1") in said


def test_another_data_set(place: Path) -> None:
    rewrite(place / "fold0/seed2/metrics.json", manifest="1" * 64)
    found, said = measured(place)
    assert seeds(found) == [1]
    assert "another data set than that of" in said


def test_an_incomplete_run(place: Path) -> None:
    (place / "fold0/seed2/metrics.json").unlink()
    found, said = measured(place)
    assert seeds(found) == [1]
    assert said.startswith(f"left out: {place / 'fold0/seed2'}: half-written")


def test_the_same_fold_and_seed_of_another_experiment(place: Path) -> None:
    shutil.copytree(place / "fold0/seed1", place / "again/fold0/seed1")
    rewrite(place / "again/fold0/seed1/metrics.json", hash="f" * 8)
    with pytest.raises(RunError, match="expected runs that differ in fold and seed alone, found 2"):
        measured(place)


def test_the_same_run_twice(place: Path) -> None:
    shutil.copytree(place / "fold0/seed1", place / "again/fold0/seed1")
    found, said = measured(place)
    assert seeds(found) == [2]  # which of the two would count?
    assert "is there twice" in said


def test_metrics_that_cannot_be_read(place: Path) -> None:
    (place / "fold0/seed1/metrics.json").write_text("{")
    found, said = measured(place)
    assert seeds(found) == [2]
    assert "seed1/metrics.json is not valid JSON" in said


def test_classes_that_are_not_trusted_are_not_built(place: Path) -> None:
    with pytest.raises(RunError, match="none of the 2"):
        measure_runs(str(place), console=Console(quiet=True))


def test_runs_without_the_module(two_seeds: Path, tmp_path: Path) -> None:
    place = trained(tmp_path, "fusion=uniform")
    with pytest.raises(RunError, match=r"uniform \(audio\+action_units\).*without an MSAF module"):
        measured(place)


def test_a_rule_that_the_runs_do_not_have(place: Path) -> None:
    with pytest.raises(RunError, match=r"rule=best: .* reports under paper_rule, last_epoch"):
        measure_runs(str(place), "best", console=Console(quiet=True))


def rewrite(file: Path, **changed: str) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
