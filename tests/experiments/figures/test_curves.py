"""Learning curves: the numbers of `log.csv`, and their means and errors by numpy."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from experiments.figures.curves import curves_figure
from experiments.runs.folder import RunError
from tests.experiments.finished import finished_run

COLUMNS = ("train/loss", "train/accuracy", "test/accuracy", "test/top2")


def logged(place: Path, *, fold: int = 0, seed: int = 1, epochs: int = 3, **described: Any) -> Path:
    """A finished run with a log of random numbers."""
    folder = finished_run(place, fold=fold, seed=seed, **described)
    random = np.random.default_rng([fold, seed, epochs])
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *COLUMNS, "seconds"])
        writer.writerows([epoch, *random.random(4).tolist(), 0.5] for epoch in range(epochs))
    return folder


def drawn(tmp_path: Path, *places: Path, **asked: Any) -> tuple[list[dict[str, str]], str]:
    """The rows of the CSV, and what was said."""
    console = Console(width=1000)
    with console.capture() as said:
        paths = curves_figure(tmp_path / "out", list(map(str, places)), console=console, **asked)
    assert [path.name for path in paths] == [f"curves.{k}" for k in ("png", "svg", "pdf", "csv")]
    with paths[-1].open() as file:
        return list(csv.DictReader(file)), said.get()


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_one_run_is_its_log(tmp_path: Path) -> None:
    folder = logged(tmp_path / "runs")
    rows, said = drawn(tmp_path, folder)
    expected = [
        (column, str(int(row["epoch"]) + 1), row[column], "")
        for column in ("train/loss", "train/accuracy", "test/accuracy")
        for row in log(folder)
    ]
    assert [(r["column"], r["epoch"], r["mean"], r["error"]) for r in rows] == expected
    assert {r["experiment"] for r in rows} == {"msaf"}
    assert said == ""


def test_means_over_folds_and_seeds(tmp_path: Path) -> None:
    keys = [(fold, seed) for fold in range(3) for seed in (1, 2)]
    folders = [logged(tmp_path / "runs", fold=fold, seed=seed) for fold, seed in keys]
    rows, _ = drawn(tmp_path, tmp_path / "runs")
    every = np.array([[[float(row[c]) for c in COLUMNS] for row in log(f)] for f in folders])
    folds = every.reshape(3, 2, 3, 4).mean(1)  # (folds, epochs, columns)
    error = folds.std(0, ddof=1) / np.sqrt(3)
    for row in rows:
        epoch, column = int(row["epoch"]) - 1, COLUMNS.index(row["column"])
        assert float(row["mean"]) == pytest.approx(folds.mean(0)[epoch, column])
        assert float(row["error"]) == pytest.approx(error[epoch, column])
        assert (row["units"], row["unit"], row["runs"]) == ("3", "folds", "6")


def test_several_experiments_have_names_of_their_own(tmp_path: Path) -> None:
    first = logged(tmp_path / "a", hash="a", provenance="sample")
    second = logged(tmp_path / "b", hash="b", epochs=5)
    third = logged(tmp_path / "c", hash="c", fusion="sum")
    rows, _ = drawn(tmp_path, first, third)
    assert list(dict.fromkeys(row["experiment"] for row in rows)) == ["msaf", "sum"]
    assert {(r["experiment"], r["provenance"]) for r in rows} == {
        ("msaf", "sample"),
        ("sum", "real"),
    }
    picture = (tmp_path / "out/curves.svg").read_text()
    assert "(sample data)" in picture
    rows, _ = drawn(tmp_path, first, second)
    names = list(dict.fromkeys(row["experiment"] for row in rows))
    assert names == ["msaf (a)", "msaf (b)"]  # by the folder's name
    assert sum(row["experiment"] == names[1] for row in rows) == 3 * 5


def test_the_epochs_of_a_rule_are_marked(tmp_path: Path) -> None:
    folder = logged(tmp_path / "runs")
    drawn(tmp_path, folder, rule="paper_rule")
    assert "epoch of paper_rule" in (tmp_path / "out/curves.svg").read_text()
    with pytest.raises(RunError, match="rule=best: the runs report under paper_rule, last_epoch"):
        drawn(tmp_path, folder, rule="best")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file; a run that trained nothing here has no log"),
        ("", "expected a row of numbers for each epoch"),
        ("epoch,train/loss\n0,many\n", "expected a row of numbers for each epoch"),
        ("epoch,train/loss\n0\n", "expected a row of numbers for each epoch"),
        ("loss\n1\n", "expected a row of numbers for each epoch"),
        ("epoch,train/loss\n1,0.5\n", "expected the epochs from 0 on"),
        ("epoch,train/loss\n0,0.5\n", "expected 3 epochs and the columns epoch, train/loss, "),
    ],
)
def test_a_log_that_is_none_is_left_out_by_name(
    tmp_path: Path, text: str | None, said: str
) -> None:
    logged(tmp_path / "runs")
    broken = logged(tmp_path / "runs", seed=2) / "log.csv"
    broken.unlink()
    if text is not None:
        broken.write_text(text)
    rows, told = drawn(tmp_path, tmp_path / "runs")
    assert {row["runs"] for row in rows} == {"1"}
    assert told.startswith(f"left out: {broken}: ")
    assert said in told


def test_runs_that_cannot_be_drawn_together(tmp_path: Path) -> None:
    first = logged(tmp_path / "a")
    (first / "log.csv").unlink()
    with pytest.raises(RunError, match="none of the complete runs has a log"):
        drawn(tmp_path, first)
    second = logged(tmp_path / "b", task="ntu", hash="b")
    with pytest.raises(RunError, match="expected runs of one task, found ntu, ravdess"):
        drawn(tmp_path, first, second)
    again = logged(tmp_path / "c")
    with pytest.raises(RunError, match=r"is there twice: .* has the same hash, fold and seed"):
        drawn(tmp_path, first, again)
    metrics = second / "metrics.json"
    metrics.write_text(json.dumps({"task": "ntu"}))
    with pytest.raises(RunError, match=r"metrics\.json: expected what train\.py writes"):
        drawn(tmp_path, second)


def test_an_incomplete_run_is_named(tmp_path: Path) -> None:
    logged(tmp_path / "runs")
    begun = logged(tmp_path / "runs", seed=2)
    (begun / "metrics.json").unlink()
    (begun / "config.yaml").write_text("")
    rows, told = drawn(tmp_path, tmp_path / "runs")
    assert {row["runs"] for row in rows} == {"1"}
    assert told.startswith(f"left out: {begun}: half-written")
