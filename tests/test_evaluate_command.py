"""`evaluate.py` as a user types it."""

import json
import re
from pathlib import Path

import numpy as np
from sklearn import metrics as sk

from tests.commands import end, run, start, tiny
from tests.experiments.finished import experiment, finished_run


def test_one_trained_run_is_printed_written_and_predicted_again(tmp_path: Path) -> None:
    overrides = tiny(tmp_path, "fusion=none", "modalities=[audio]")
    folder = Path(run("train.py", *overrides)[1].splitlines()[-1])
    code, out, err = run(
        "evaluate.py", f"run={folder}", "rule=paper_rule", "recompute=true", "trust=true"
    )
    assert (code, err) == (0, "")
    assert "none (audio), fold 0, seed 1 (sample data)" in out
    assert "last_epoch*" in out and "paper_rule: epoch chosen on the test data" in out
    again = re.search(r"predicted again from the weights, largest difference of a score (\S+)", out)
    assert again and float(again[1]) < 1e-5
    assert out.splitlines()[-1] == str(folder / "evaluation")
    written = {file.name for file in (folder / "evaluation").iterdir()}
    assert written == {"figures.csv"} | {
        f"{name}_paper_rule.{kind}"
        for name, kind in (
            ("evaluation", "json"), ("classes", "csv"),
            *(("confusion", kind) for kind in ("csv", "pdf", "png", "svg")),
        )
    }  # fmt: skip
    data = np.load(folder / "predictions.npz")
    summary = json.loads((folder / "evaluation" / "evaluation_paper_rule.json").read_text())
    accuracy = 100 * sk.accuracy_score(data["labels"], data["scores_paper_rule"].argmax(1))
    assert abs(summary["figures"]["paper_rule"]["accuracy"]["mean"] - accuracy) < 1e-3
    assert summary["provenance"] == "sample"


def test_two_sets_are_compared(tmp_path: Path) -> None:
    first = experiment(tmp_path / "a+b-paper-0a1b", skill=3.0)
    second = experiment(tmp_path / "b", skill=1.0)
    code, out, err = run(
        "evaluate.py", f"run={first}", f"against={second}", f"out={tmp_path / 'out'}"
    )
    assert (code, err) == (0, "")
    assert "folds 0, 1, 2, seeds 1, 2" in out
    assert "paired by fold and seed" in out and "3 folds, seeds averaged within each" in out
    summary = json.loads((tmp_path / "out" / "evaluation_last_epoch.json").read_text())
    difference = summary["difference"]["metrics"]["accuracy"]
    assert f"{difference['mean']:+.1f} ± {difference['error']:.1f}" in out
    assert len(summary["runs"]) == 6


def test_what_cannot_be_evaluated_ends_in_one_message(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "a")
    for overrides, message in (
        ([], "run=<run folder> is missing"),
        (
            [f"run={folder}", "recompute=true"],
            "configuration, found no such file",
        ),
    ):
        code, _, err = run("evaluate.py", *overrides)
        assert code == 1
        assert err.startswith("error: ") and err.count("\n") == 1 and message in err, err


def test_names_that_look_like_markup_or_mathematics_are_shown_as_they_are(tmp_path: Path) -> None:
    names = ["[/red]", "a $x^{$ b", "<b>&", "50%_#~", "[bold]x"]
    folder = finished_run(tmp_path / "a", classes=names)
    code, out, err = run("evaluate.py", f"run={folder}")
    assert (code, err) == (0, "")
    assert all(f"\n{name}" in out for name in names)


def test_where_nothing_can_be_written_another_place_is_proposed(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "a")
    (tmp_path / "file").touch()
    code, out, err = run("evaluate.py", f"run={folder}", f"out={tmp_path}/file/out")
    assert code == 1 and "accuracy" in out
    assert re.fullmatch(r"error: \S+/file\S*: .*; choose another folder with out=\n", err)


def test_help_is_quick() -> None:
    code, out, err = end(start("evaluate.py", "--help", python=("-X", "importtime")))
    assert code == 0 and "against" in out
    assert not re.search(r"\b(torch|pytorch_lightning|matplotlib|numpy)\b", err)
