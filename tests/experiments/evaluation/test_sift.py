import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.sift import read_run
from experiments.figures.report.collect import collect
from experiments.runs.folder import RunError
from tests.experiments.figures.report.pages import written
from tests.experiments.finished import RunsCode, experiment, finished_run

FIRST, SECOND = "a0b1c2d3", "e4f5a6b7"


def variant(place: Path, digest: str, **settings: Any) -> Path:
    """Runs in the place that `train.py` gives them; each digest has other predictions."""
    folder = place / "ravdess" / "full" / "msaf" / f"video+audio-paper-lr0.1-{digest}"
    finished_run(folder, hash=digest, skill=int(digest[1], 16) / 4 + 1, **settings)
    return folder / f"fold{settings.get('fold', 0)}" / f"seed{settings.get('seed', 1)}"


def change(folder: Path, **content: Any) -> None:
    file = folder / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | content))


def reasons(place: Path) -> dict[str, str]:
    return {str(p.relative_to(place)): why for p, why in collect(place).left_out.items()}


def counted(place: Path) -> list[list[tuple[Any, int]]]:
    def keys(runs: Any) -> list[tuple[Any, int]]:
        return [run.key for run in runs if isinstance(run, FinishedRun)]

    return [keys(group) for group in collect(place).experiments]


def test_names_that_leave_a_setting_out_are_no_contradiction(tmp_path: Path) -> None:
    """Such as points=[late] and points=[early], whose folders differ in the hash alone."""
    for digest in (FIRST, SECOND):
        variant(tmp_path, digest)
    assert not reasons(tmp_path)
    assert counted(tmp_path) == [[(0, 1)], [(0, 1)]]


def test_the_same_cell_on_other_data_counts_on_neither_side(tmp_path: Path) -> None:
    alone = variant(tmp_path, FIRST, fold=1)
    one = variant(tmp_path, FIRST)
    other = variant(tmp_path, SECOND, manifest="1" * 64)
    found = {tmp_path / path: why for path, why in reasons(tmp_path).items()}
    assert found.keys() == {one, other}
    assert str(other) in found[one]
    assert "other data" in found[one]
    assert counted(tmp_path) == [[(1, 1)]]
    shown = float(json.loads((alone / "metrics.json").read_text())["reported"]["last_epoch"]["test"]
                  ["accuracy"])  # fmt: skip
    page = written(tmp_path)
    head, row = page.table("experiment-1", "test figures")[0], page.table("experiment-1", "runs")[1]
    assert row[:2] == ["1", "1"]
    assert page.table("experiment-1", "test figures")[2][head.index("accuracy")] == f"{shown:.1f}"
    assert [Path(line[0]) for line in page.table("left-out", "left out")[1:]] == [one, other]


def test_the_same_run_twice_counts_on_neither_side(tmp_path: Path) -> None:
    folder = experiment(tmp_path / "here", folds=2, seeds=1)
    shutil.copytree(folder / "fold0", tmp_path / "copy" / "fold0")
    assert counted(tmp_path) == [[(1, 1)]]
    found = reasons(tmp_path)
    assert found.keys() == {"here/fold0/seed1", "copy/fold0/seed1"}
    assert all("is there twice" in why for why in found.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [({"hash": SECOND}, f"says hash {FIRST}, its metrics.json hash {SECOND}"),
     ({"fold": 3}, "says fold 0, its metrics.json fold 3"),
     ({"seed": 2}, "says seed 1, its metrics.json seed 2")],
)  # fmt: skip
def test_a_folder_and_its_metrics_have_to_agree(
    tmp_path: Path, content: dict[str, Any], said: str
) -> None:
    folder = variant(tmp_path, FIRST)
    assert reasons(tmp_path) == {}
    change(folder, **content)
    assert [said in why for why in reasons(tmp_path).values()] == [True]
    assert counted(tmp_path) == []


def test_runs_of_one_hash_have_to_be_alike(tmp_path: Path) -> None:
    experiment(tmp_path, folds=2, seeds=1)
    change(tmp_path / "fold1" / "seed1", provenance="sample")
    assert counted(tmp_path) == []
    assert all("they differ in provenance" in why for why in reasons(tmp_path).values())
    assert len(reasons(tmp_path)) == 2


def test_protocols_are_experiments_of_their_own(tmp_path: Path) -> None:
    for fold in ("cs", "cv"):
        for seed in (1, 2):
            change(finished_run(tmp_path / fold, seed=seed), fold=fold)
        (tmp_path / fold / "fold0").rename(tmp_path / fold / f"fold{fold}")
    assert counted(tmp_path) == [[("cs", 1), ("cs", 2)], [("cv", 1), ("cv", 2)]]


def test_half_written_and_unreadable_runs_are_named(tmp_path: Path) -> None:
    experiment(tmp_path / "whole", folds=1, seeds=1)
    half = tmp_path / "half" / "fold0" / "seed1"
    half.mkdir(parents=True)
    (half / "config.yaml").write_text("task: {name: ravdess}")
    for name, text in (("cut", '{"hash": "a'), ("foreign", '{"loss": 3}'), ("list", "[1]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(text)
    found = reasons(tmp_path)
    assert found.keys() == {"half/fold0/seed1", "cut", "foreign", "list"}
    assert "half-written" in found["half/fold0/seed1"]
    assert "is not valid JSON" in found["cut"]
    assert "expected what train.py writes" in found["foreign"]
    assert counted(tmp_path) == [[(0, 1)]]


@pytest.mark.parametrize(
    "content",
    [{"fold": None}, {"seed": "1"}, {"seed": True}, {"modalities": "audio"}, {"modalities": [1]},
     {"reported": {}}, {"reported": {"last_epoch": 1}}, {"headline": "best"}, {"hash": 7},
     {"reported": {"last_epoch": {"test": {"accuracy": "99"}, "epoch": 1}}},
     {"reported": {"last_epoch": {"test": {"accuracy": 99.0}}}},
     {"reported": {"last_epoch": {"test": {}, "epoch": 1}}},
     {"classes": [1, 2]}, {"provenance": "sampled"}],
)  # fmt: skip
def test_metrics_that_are_none_are_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    folder = finished_run(tmp_path)
    change(folder, **content)
    with pytest.raises(RunError, match=r"metrics\.json: expected what train\.py writes, found"):
        read_run(folder)


def test_predictions_have_to_be_of_the_run_and_run_no_code(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "a")
    file, touched = folder / "predictions.npz", tmp_path / "touched"
    whole = dict(np.load(file))
    for change_of, said in (
        ({"scores_last_epoch": whole["scores_last_epoch"][::-1]}, "they are not of one run"),
        ({"labels": whole["labels"][:3]}, "found 40 ids, 3 labels, 40 scores"),
        ({"labels": whole["labels"] + 7}, "found labels from 7 to 11 of 5 classes"),
        (
            {"scores_last_epoch": whole["scores_last_epoch"][:, 0]},
            "found arrays of other kinds",
        ),
        ({name: values[:0] for name, values in whole.items()}, "found 0 ids, 0 labels, 0 scores"),
        ({"ids": np.array([RunsCode(touched)], dtype=object)}, "Object arrays cannot be loaded"),
    ):
        np.savez(file, **whole | change_of)
        with pytest.raises(RunError, match=said):
            read_run(folder)
    file.write_bytes(file.read_bytes()[:100])
    assert "found damage" in reasons(tmp_path)["a/fold0/seed1"]
    file.unlink()
    assert "found no such file" in reasons(tmp_path)["a/fold0/seed1"]
    assert not touched.exists()
