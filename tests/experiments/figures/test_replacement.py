"""The figure of replaced modalities: its numbers beside plain loops over the recordings."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.evaluation.attention import Measured, ModuleAttention
from experiments.evaluation.finished import Evaluation, find_runs
from experiments.figures import replacement, replacement_rows
from experiments.figures.attention_runs import MeasuredRuns
from experiments.runs.folder import RunError
from tests.experiments.finished import finished_run

FOLDS = 3
MODALITIES = ("skeleton", "inertial")
GROUPS = ("all", "one modality replaced", "intact")
OWNER = ("skeleton", "skeleton", "inertial")


def names(fold: int) -> list[str]:
    """Of four recordings in a row: one skeleton and one inertial signal replaced, two intact."""
    said = (":skeleton=other", "", ":inertial=other", "")
    return [f"fold{fold}clip{i}{said[i % 4]}" for i in range(40)]


def put(file: Path, **changed: np.ndarray) -> None:
    """Change some arrays of a file of predictions."""
    np.savez(file, **dict(np.load(file)) | changed)


def trained(place: Path, fusion: str, skill: float, **described: Any) -> Path:
    for fold in range(FOLDS):
        folder = finished_run(
            place / f"{fusion}-hash{skill}", fold=fold, skill=skill, fusion=fusion, **described
        )
        put(folder / "predictions.npz", ids=np.array(names(fold)))
    return place


def trained_on(place: Path, ids: list[str]) -> None:
    """Add an experiment whose recordings of one fold have other names."""
    trained(place, "mmtm", 1.5)
    put(place / "mmtm-hash1.5" / "fold1" / "seed1" / "predictions.npz", ids=np.array(ids))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    trained(tmp_path, "msaf", 2.0)
    return trained(tmp_path, "sum", 1.0)


@pytest.fixture
def measured(place: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredRuns:
    """Attention made by hand: no network is built."""
    evaluation = Evaluation(find_runs(str(place / "msaf-hash2.0")))
    by_run = {}
    for key, p in evaluation.predictions.items():
        x = np.random.default_rng([int(key[0])]).random((2, 40, 1, len(OWNER)))
        blocks = x / x.sum(-1, keepdims=True)
        modules = tuple(
            ModuleAttention(name, OWNER, blocks[i]) for i, name in enumerate(("middle", "late"))
        )
        by_run[key] = Measured(p.ids, p.labels, p.scores, modules)
    runs = MeasuredRuns(evaluation, by_run)
    monkeypatch.setattr(replacement_rows, "measure_runs", lambda *_args, **_kw: runs)
    return runs


def rows_of(place: Path, out: Path) -> list[dict[str, str]]:
    paths = replacement.replacement_figure(out, str(place))
    assert [path.suffix for path in paths] == [".png", ".svg", ".pdf", ".csv"]
    with paths[-1].open(newline="") as file:
        return list(csv.DictReader(file))


def by_hand(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def right(place: Path, run: str, fold: int, group: str) -> float:
    with np.load(place / run / f"fold{fold}" / "seed1" / "predictions.npz") as file:
        chosen = file["scores_last_epoch"].argmax(1).tolist()
        pairs = zip(file["ids"].tolist(), chosen, file["labels"].tolist(), strict=True)
        found = [
            guess == label
            for name, guess, label in pairs
            if group == "all" or (":" in name) == (group == "one modality replaced")
        ]
    return 100 * sum(found) / len(found)


@pytest.mark.usefixtures("measured")
def test_accuracies_and_differences(place: Path, tmp_path: Path) -> None:
    rows = rows_of(place, tmp_path / "out")
    accuracies = [row for row in rows if row["quantity"] == "accuracy"]
    assert len(accuracies) == 6
    for row in accuracies:
        run = {"msaf": "msaf-hash2.0", "sum": "sum-hash1.0"}[row["experiment"]]
        values = [right(place, run, fold, row["group"]) for fold in range(FOLDS)]
        assert (float(row["mean"]), float(row["error"])) == pytest.approx(by_hand(values))
    differences = [row for row in rows if row["quantity"] == "difference"]
    assert [(row["experiment"], row["group"]) for row in differences] == [
        ("sum", group) for group in (*GROUPS, "replaced less intact")
    ]
    found = {}
    for row in differences[:3]:
        found[row["group"]] = values = [
            right(place, "msaf-hash2.0", fold, row["group"])
            - right(place, "sum-hash1.0", fold, row["group"])
            for fold in range(FOLDS)
        ]
        assert (float(row["mean"]), float(row["error"])) == pytest.approx(by_hand(values))
        assert (row["units"], row["unit"], row["rule"]) == ("3", "folds", "last_epoch")
    more = np.subtract(found["one modality replaced"], found["intact"]).tolist()
    row = differences[3]
    assert (float(row["mean"]), float(row["error"])) == pytest.approx(by_hand(more))


def test_attention(place: Path, tmp_path: Path, measured: MeasuredRuns) -> None:
    rows = [row for row in rows_of(place, tmp_path / "out") if row["quantity"] == "attention"]
    assert [(row["group"], row["modality"]) for row in rows] == [
        *((module, modality) for module in ("middle", "late") for modality in MODALITIES),
        ("mean of all", "mean of all"),
    ]
    every = []
    for row in rows[:-1]:
        module, changes = ["middle", "late"].index(row["group"]), []
        for fold in range(FOLDS):
            blocks = measured.by_run[fold, 1].modules[module].blocks[:, 0]
            gone: list[float] = []
            intact: list[float] = []
            for name, sample in zip(names(fold), blocks, strict=True):
                share = sum(sample[b] for b in range(3) if OWNER[b] == row["modality"])
                if name.endswith(f":{row['modality']}=other"):
                    gone.append(share)
                elif ":" not in name:
                    intact.append(share)
            changes.append(float(np.mean(gone) - np.mean(intact)))
        assert (float(row["mean"]), float(row["error"])) == pytest.approx(by_hand(changes))
        every.append(changes)
    found = float(rows[-1]["mean"]), float(rows[-1]["error"])
    assert found == pytest.approx(by_hand(np.mean(every, axis=0).tolist()))


@pytest.mark.usefixtures("measured")
def test_runs_that_say_nothing_of_it_are_left_out_and_named(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on(place, [name.partition(":")[0] for name in names(1)])
    rows = rows_of(place, tmp_path / "out")
    assert {row["experiment"] for row in rows} == {"msaf", "sum"}
    assert "left out: mmtm, hash1.5: a run has no recordings with a" in capsys.readouterr().out
    with pytest.raises(RunError, match=r"expected runs trained with a .* fusion=msaf .* found sum"):
        replacement.replacement_figure(tmp_path / "other", str(place / "sum-hash1.0"))
    with pytest.raises(RunError, match="found none: name their folders"):
        replacement.replacement_figure(tmp_path / "other", str(place / "mmtm-hash1.5"))
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("measured")
def test_runs_with_other_replacements_or_folds_are_not_compared(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on(place, [*names(1)[1:], names(1)[0]])  # one recording further
    trained(place, "concat", 1.2)
    (place / "concat-hash1.2" / "fold2" / "seed1" / "metrics.json").unlink()
    rows = rows_of(place, tmp_path / "out")
    assert {row["experiment"] for row in rows} == {"msaf", "sum"}
    said = " ".join(capsys.readouterr().out.split())
    assert "left out: mmtm, hash1.5: compared with msaf, fold 1 seed 1: expected the same" in said
    assert "left out: concat, hash1.2: its folds and seeds are not those of msaf:" in said
    assert "only one of the two has fold 2 seed 1" in said


@pytest.mark.usefixtures("measured")
def test_a_regression_is_left_out(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(place, "mmtm", 1.5)
    for file in place.glob("mmtm*/fold*/seed1/predictions.npz"):
        arrays = dict(np.load(file))
        labels = arrays["labels"].astype(np.float32)
        put(file, labels=labels)
        metrics = json.loads((file.parent / "metrics.json").read_text())
        for rule, values in metrics["reported"].items():
            error = np.abs(arrays[f"scores_{rule}"][:, 0].astype(float) - labels).mean()
            values["test"]["mae"] = float(error)
        (file.parent / "metrics.json").write_text(json.dumps(metrics))
    rows_of(place, tmp_path / "out")
    assert "left out: mmtm, hash1.5: a regression has no accuracy" in capsys.readouterr().out
