"""Run folders and what is written of runs, each damaged in many ways.

A run folder has to give an error that names it, or the figures that it gave before.
"""

import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from experiments.evaluation.finished import Evaluation, find_runs
from experiments.evaluation.recompute import recompute
from experiments.evaluation.terminal import print_evaluation
from experiments.figures.curve_logs import read_log
from experiments.runs.folder import RunError
from experiments.runs.weights import read_weights
from experiments.tables.committed import read_committed
from experiments.tables.read import read_tables
from experiments.tables.recorded import read_record
from tests.damage import OF_ALL, OF_JSON, OF_YAML, Damage, damaged, outcome
from tests.experiments.conftest import MakeRun

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def figures_of(folder: Path) -> Any:
    evaluation = Evaluation(find_runs(str(folder)))
    print_evaluation(evaluation, Console(file=StringIO()))
    rows = evaluation.report.rows()
    figures = evaluation.figures()[evaluation.rule]["accuracy"].mean
    rows_of_log = read_log(evaluation.runs[0])["epoch"]
    difference = recompute(evaluation.runs[0], evaluation.rule, trust=True)
    return rows, figures, rows_of_log, difference < 1e-4


@pytest.mark.parametrize(
    ("name", "damages"),
    [("config.yaml", OF_YAML), ("metrics.json", OF_JSON), ("predictions.npz", OF_ALL),
     ("log.csv", OF_ALL), ("checkpoints/last_epoch.pt", OF_ALL)],
)  # fmt: skip
def test_run_folders(tmp_path: Path, make_run: MakeRun, name: str, damages: list[Damage]) -> None:
    run = make_run("fusion=none", "modalities=[audio]", "epochs=2")
    run.complete()
    whole, place = run.folder.path, tmp_path / "damaged"
    wanted, refused = figures_of(whole), 0
    for number, damage in enumerate(damages):
        damaged(whole, place, name, damage, [2, number])
        found = outcome(figures_of, place, RunError)
        refused += found is None
        assert found in (None, wanted), damage.__name__
    assert refused >= len(damages) // 4


def test_weights(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    torch.save({"a": torch.randn(40, 9), "b": torch.arange(3)}, tmp_path / "raw" / "weights.pt")
    wanted = read_weights(tmp_path / "raw" / "weights.pt")
    for number, damage in enumerate(OF_ALL * 4):
        file = damaged(tmp_path / "raw", tmp_path / "d", "weights.pt", damage, [4, number])
        found = outcome(read_weights, file, RunError)
        assert found is None or all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("read", [read_committed, read_tables, read_record])
def test_tables(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    """Written tables hold no checksum; what is read can at least be a table."""
    (tmp_path / "whole").mkdir()
    shutil.copy(RESULTS / "tableaudio.json", tmp_path / "whole")
    for number, damage in enumerate(OF_JSON):
        place = tmp_path / "damaged"
        file = damaged(tmp_path / "whole", place, "tableaudio.json", damage, [5, number])
        outcome(read, file, RunError)
