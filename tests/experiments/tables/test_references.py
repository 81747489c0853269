"""Rows that name another row than the table's own to be compared with."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from experiments.runs.folder import RunError
from experiments.tables.cells import cells
from experiments.tables.fill import fill
from experiments.tables.markdown import markdown
from experiments.tables.plan import Plan
from tests.experiments.tables.test_table import GOOD, load

ACCURACIES = {"a": [70.0, 72.0], "b": [60.0, 66.0], "c": [61.0, 65.0], "d": [50.0, 53.0]}
TABLE = """
title: A table
folds: [0]
seeds: [1, 2]
metrics: [accuracy]
reference: a
rows:
  - {name: a, overrides: [fusion=msaf]}
  - {name: b, overrides: [fusion=sum]}
  - {name: c, overrides: [fusion=mmtm], reference: d}
  - {name: d, overrides: [fusion=mcbp], reference: d}
"""


class Finished(NamedTuple):
    """A complete run, as far as a table asks."""

    row: str
    seed: int
    complete: bool = True

    def metrics(self) -> dict[str, Any]:
        accuracy = ACCURACIES[self.row][self.seed - 1]
        return {
            "fold": 0,
            "seed": self.seed,
            "reported": {"last_epoch": {"test": {"accuracy": accuracy}}},
            "parameters": {"total": 1},
            **dict.fromkeys(("provenance", "manifest", "protocol", "hash", "sources"), "x"),
            "versions": {},
        }

    def reporting(self) -> dict[str, Any]:
        return {"last_epoch": {"split": None}}


def test_a_row_is_compared_with_its_own_reference(tmp_path: Path) -> None:
    table = load(tmp_path, TABLE)
    rows: Any = {name: [Finished(name, seed) for seed in (1, 2)] for name in ACCURACIES}
    stages: Any = (dict.fromkeys(folder for row in rows.values() for folder in row),)
    todo = Plan(rows, stages, {})
    filled = fill(table, todo, {})
    found = {
        line.row.name: [round(x.mean, 3) for x in line.differences.values()]
        for line in filled.lines
    }
    assert found == {"a": [], "b": [-8.0], "c": [11.5], "d": []}
    assert "against its reference (last_epoch)" in cells(filled)[0]
    text = markdown(filled)
    assert "Differences to each row's reference (d for c; a for all others) are paired" in text


def test_a_reference_that_is_no_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no row is named as the reference 'e'"):
        load(tmp_path, GOOD.replace("note: quoted only", "reference: e"))
