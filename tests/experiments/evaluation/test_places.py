"""Folders and patterns of folders, as a user types them behind `run=`."""

from pathlib import Path

import pytest

from experiments.evaluation.finished import find_runs
from experiments.evaluation.places import incomplete_runs, run_folders
from experiments.runs.folder import RunError
from tests.experiments.finished import experiment, finished_run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two experiments on three folds and two seeds; beside their runs what else lies there."""
    for fusion, skill in (("msaf", 3.0), ("sum", 1.0)):
        place = experiment(tmp_path / fusion / f"video+audio-paper-{fusion}", skill=skill)
        (place / "fold0" / "seed1" / "evaluation").mkdir()
        (place / "fold0" / "seed9").mkdir()
        (place / "fold0" / "seed9" / "config.yaml").touch()
        finished_run(place / "fold0" / "seed9" / ".rerun")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("msaf/*", 6),
        ("msaf/*/fold*/seed1", 3),
        ("msaf/*/fold[12]/seed?", 4),
        ("m*/**", 6),  # each folder matches, and the runs below it count once
        ("**/*msaf/fold2", 2),
    ],
)
def test_patterns(results: Path, pattern: str, count: int) -> None:
    runs = find_runs(f"{results}/{pattern}")
    assert len({run.key for run in runs}) == len(runs) == count
    assert {run.folder.path.parents[2].name for run in runs} == {"msaf"}


def test_patterns_in_lists_and_what_is_incomplete(results: Path) -> None:
    places = [f"{results}/msaf/*/fold0", f"{results}/msaf/*/fold1/seed1"]
    assert len(find_runs(places)) == 3
    place = results / "msaf/video+audio-paper-msaf/fold0/seed9"
    assert incomplete_runs(places) == [place] == incomplete_runs(f"{results}/msaf/**")


def test_a_folder_with_brackets_is_no_pattern(tmp_path: Path) -> None:
    place = tmp_path / "a[1] *b"
    finished_run(place)
    assert [folder.path for folder in run_folders(str(place))] == [place / "fold0" / "seed1"]
    with pytest.raises(RunError, match=r"holds no complete run"):
        (tmp_path / "[x]").mkdir()
        run_folders(str(tmp_path / "[x]"))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("msfa/*", "msfa/\\*: no folder is named like that; .* has msaf, sum$"),
        ("msaf/*/fold7", "fold7: no folder is named like that; .*-msaf has fold0, fold1, fold2$"),
        ("msaf/*/fold0/seed9*", "seed9\\*: no complete run .* in .*fold0/seed9: run their"),
        ("*", "found 2 experiments: .*fold0/seed1 is ravdess msaf.*; .*fold0/seed1 is .*; name"),
        ("msfa", "msfa: no such folder"),
    ],
)
def test_what_is_not_there_is_named(results: Path, pattern: str, message: str) -> None:
    with pytest.raises(RunError, match=message) as error:
        find_runs(f"{results}/{pattern}")
    assert "\n" not in str(error.value)
