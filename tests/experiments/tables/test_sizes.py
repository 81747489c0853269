"""Sizes at the paper's size: from a row's runs where they agree, else counted."""

from pathlib import Path
from typing import Any

import pytest

from experiments.runs.folder import RunFolder
from experiments.runs.overrides import Overrides
from experiments.tables.plan import Plan
from experiments.tables.sizes import paper_sizes
from experiments.tables.table import Row, Table
from tests.experiments.finished import finished_run

COUNTED = 7


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ([{"with_heads": 5, "total": 4}] * 2, 5),
        ([{"with_heads": 5}, {"with_heads": 6}], COUNTED),  # of different sources
        ([{"with_heads": 5}, None], COUNTED),  # a run before there was the figure
        ([], COUNTED),
    ],
)
def test_what_the_runs_of_a_row_recorded(
    recorded: list[Any], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def count(overrides: Overrides) -> dict[str, int]:
        asked.append(str(overrides))
        return {"with_heads": COUNTED}

    monkeypatch.setattr("experiments.runs.complexity.paper_size_parameters", count)
    folders = [RunFolder(tmp_path / "fold0" / f"seed{k}") for k in range(3)]
    for seed, sizes in enumerate(recorded):
        finished_run(tmp_path, seed=seed, **({"paper_size_parameters": sizes} if sizes else {}))
    rows = (Row("a", ("fusion=sum",)), Row("quoted"), Row("refused", ("fusion=x",)))
    table = Table("t", "T", rows, (0,), (0, 1, 2), ("accuracy",), "a", ("task=ravdess",))
    todo = Plan({"a": folders, "quoted": [], "refused": []}, (), {"refused": "no such fusion"})
    assert paper_sizes(table, todo, Overrides(["epochs=2"]), ()) == {"a": expected}
    assert asked == ["task=ravdess fusion=sum epochs=2"] * (expected == COUNTED)


def test_a_run_that_cannot_be_read_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(overrides: Overrides) -> dict[str, int]:
        raise ValueError("it cannot be built")

    monkeypatch.setattr("experiments.runs.complexity.paper_size_parameters", refuse)
    folder = RunFolder(finished_run(tmp_path))
    (folder.path / "metrics.json").write_text("{")
    table = Table("t", "T", (Row("a", ("fusion=sum",)),), (0,), (1,), ("accuracy",), "a")
    assert paper_sizes(table, Plan({"a": [folder]}, (), {}), Overrides(), {folder}) == {}
