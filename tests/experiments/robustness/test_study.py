"""What a user asks for, with the mistakes that people make."""

from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from rich.console import Console

from experiments.robustness.study import Study
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS
from tests.experiments.finished import experiment, finished_run


@pytest.fixture(autouse=True)
def _configs() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


def study(place: Path, *overrides: str) -> Study:
    return Study.of(Overrides([f"run={place}", *overrides]))


def test_what_is_looked_at(tmp_path: Path) -> None:
    experiment(tmp_path / "audio-hash2.0")
    found = study(
        tmp_path,
        f"raw={tmp_path}",
        "only=[audio.noise]",
        "corruptions.audio.noise.strengths=[30,3]",
    )
    keys = [condition.key for condition in found.conditions(found.experiments[0])]
    assert keys == ["clean", "audio.noise=30", "audio.noise=3"]
    assert found.rule == "last_epoch"
    assert found.out == Path("results/robustness/ravdess")
    assert found.results == found.out / "audio.noise"
    assert found.against is None  # there is no sum among them


@pytest.mark.parametrize("task", ["ravdess", "mosei", "ntu", "utd_mhad"])
def test_every_task_has_corruptions_of_all_its_modalities(tmp_path: Path, task: str) -> None:
    modalities = {
        "ravdess": ["video", "audio", "action_units"],
        "mosei": ["visual", "audio", "text"],
        "ntu": ["video", "skeleton"],
        "utd_mhad": ["skeleton", "inertial", "depth"],
    }[task]
    finished_run(tmp_path / "x-hash2.0", task=task, modalities=modalities)
    found = study(tmp_path, f"raw={tmp_path}")
    assert found.results == found.out
    seen = {condition.modality for condition in found.conditions(found.experiments[0])}
    assert seen == {"", *modalities}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("only=[hum]", "only=hum: no such corruption; there are action_units,"),
        ("rule=best", "rule=best: the runs report under paper_rule, last_epoch"),
        ("against=mmtm", "against=mmtm: no such experiment; there are msaf"),
        ("trust=maybe", "trust=maybe: choose true or false"),
        ("only=[action_units]", "only=action_units: the runs have no such modality; they have aud"),
        (
            "only=[audio]",
            r"audio.noise: acts on raw files; give raw=<the raw folder>, or leave it "
            r"out by only=\[audio.absent,audio.mean,audio.zeros\]",
        ),
        ("raw=/gone/away", "raw=/gone/away: expected a folder, found nothing"),
        ("corruptions.video.blur.strengths=[ten]", r"Blur.strengths=\['ten'\]: expected a list of"),
        ("corruptions.video.blur.strengths=10", "Blur.strengths=10: expected a list of one or mo"),
    ],
)
def test_values_that_there_are_not(tmp_path: Path, override: str, message: str) -> None:
    finished_run(tmp_path / "audio-hash2.0")
    with pytest.raises(ValueError, match=message):
        study(tmp_path, override)


def test_a_file_in_the_place_of_the_results(tmp_path: Path) -> None:
    finished_run(tmp_path / "audio-hash2.0", provenance="sample")
    file = tmp_path / "notes.txt"
    file.touch()
    with pytest.raises(ValueError, match=r"out=.*notes.txt/x: expected a folder, found the file"):
        study(tmp_path, f"out={file}/x")


def test_runs_of_two_data_sets(tmp_path: Path) -> None:
    finished_run(tmp_path / "a-hash2.0")
    finished_run(tmp_path / "b-hash2.0", hash="other", fusion="sum", manifest="1" * 64)
    with pytest.raises(RunError, match="expected runs on one data set, found 2"):
        study(tmp_path)


def test_keys_that_there_are_not(tmp_path: Path) -> None:
    finished_run(tmp_path / "audio-hash2.0")
    with pytest.raises(RunError, match="task=mosei: the runs say of which task they are"):
        study(tmp_path, "task=mosei")
    with pytest.raises(HydraException):
        study(tmp_path, "strength=5")


def test_runs_of_two_tasks(tmp_path: Path) -> None:
    finished_run(tmp_path / "a-hash2.0")
    finished_run(tmp_path / "b-hash2.0", task="ntu", seed=2)
    with pytest.raises(RunError, match="expected runs of one task, found ntu, ravdess"):
        study(tmp_path)


def test_a_task_of_ones_own_without_corruptions(tmp_path: Path) -> None:
    finished_run(tmp_path / "a-hash2.0", task="gestures")
    with pytest.raises(RunError, match=r"configs/robustness/gestures.yaml: no such file"):
        study(tmp_path)


def test_no_runs(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="run=<run folder> is missing"):
        Study.of(Overrides([]))
    with pytest.raises(RunError, match="no such folder"):
        study(tmp_path / "gone")


def test_runs_that_cannot_be_opened_again(tmp_path: Path) -> None:
    finished_run(tmp_path / "audio-hash2.0")  # it has neither weights nor a configuration
    with pytest.raises(RunError, match=r"last_epoch.pt: expected the weights of last_epoch"):
        study(tmp_path, f"raw={tmp_path}", f"out={tmp_path / 'out'}").measure(Console(quiet=True))
