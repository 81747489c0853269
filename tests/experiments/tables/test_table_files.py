"""A filled table in the terminal: nothing cut off, nothing broken inside a word; and its JSON."""

from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments.evaluation.statistics import Estimate
from experiments.tables.cells import cells
from experiments.tables.committed import read_committed
from experiments.tables.fill import Filled, Line, Measured
from experiments.tables.read import read_tables
from experiments.tables.table import Row, Table, Tables
from experiments.tables.write import show_table, write_tables

NAMES = ["3D ResNeXt50 (Vis.)", "Multiplication", "sum (control)", "MSAF"]
REAL: dict[str, Any] = {"data": ["real"], "overrides": []}


def filled(metrics: tuple[str, ...], reference: str = "MSAF", **stands: Any) -> Filled:
    rows = [Row(name, ("fusion=sum",), {"accuracy": 74.86}) for name in [*NAMES[:3], reference]]
    table = Table("1", "A table", tuple(rows), (0, 1), (1,), metrics, reference)
    rules = {"paper_rule": 10.0, "last_epoch": 20.0}
    lines = []
    for i, row in enumerate(rows):
        figures = {
            rule: {m: Estimate(start + i, 1.4, 2, "folds", 2) for m in metrics}
            for rule, start in rules.items()
        }
        difference = {rule: Estimate(-10.0, 1.4, 2, "folds", 2) for rule in rules}
        lines.append(Line(row, 2, 2, figures, difference, 10, 10))
    return Filled(table, tuple(rules), tuple(lines), REAL | stands)


def shown(width: int, *metrics: str, reference: str = "MSAF") -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        show_table(filled(metrics, reference), console)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    return lines


def test_eighty_columns_hold_both_rules_and_whole_words() -> None:
    lines = shown(80, "accuracy")
    assert lines[1] == "A table"
    rows = [line for line in lines if "2 of 2" in line]
    assert rows[1].split() == [
        *("Multiplication", "74.86", "11.0", "±", "1.4", "21.0", "±", "1.4"),
        *("-10.0", "±", "1.4", "2", "of", "2"),
    ]
    for line in rows:
        assert line.startswith(("3D ResNeXt50", "Multiplication ", "sum (control) ", "MSAF "))


def test_a_long_reference_is_broken_into_lines() -> None:
    lines = shown(80, "accuracy", reference="RAVDESS: C 16, 32, BlockDropout")
    heading = " ".join(" ".join(line.split()) for line in lines[2:7])
    assert "16, 32," in heading and "BlockDropout" in heading
    assert sum("(last_epoch)" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("width", "metrics", "figures"),
    [(80, 1, 2), (70, 1, 1), (80, 3, 2), (130, 3, 3), (170, 3, 6)],
)
def test_narrower_means_fewer_columns(width: int, metrics: int, figures: int) -> None:
    """The difference is always there; before it the rules and then the last metrics go."""
    lines = shown(width, *["accuracy", "mae", "f1"][:metrics])
    (row,) = (line for line in lines if line.startswith("MSAF "))
    assert row.count("±") == figures + 1
    if figures == 1:
        assert "23.0 ± 1.4" in row and "13.0" not in row  # the headline rule, without selection


@pytest.mark.parametrize(
    ("stands", "there"),
    [
        ({}, True),
        ({"data": []}, True),  # no run yet: nothing of ours stands beside them
        ({"data": ["sample"]}, False),
        ({"data": ["real", "sample"]}, False),
        ({"overrides": ["epochs=2"]}, True),
        ({"overrides": ["modalities=[audio,action_units]"]}, False),
    ],
)
def test_the_papers_figures_stand_beside_its_own_input_alone(
    stands: dict[str, Any], there: bool
) -> None:
    head, rows = cells(filled(("accuracy", "mae"), **stands))
    expected = ["paper accuracy"] if there else []  # no row has one of mae
    assert [name for name in head if name.startswith("paper ")] == [*expected, "paper #Params"]
    assert all(("74.86" in row) == there and len(row) == len(head) for row in rows)


def test_the_figures_of_a_network_that_diverged_are_read_back_as_they_were(tmp_path: Path) -> None:
    """JSON has no NaN, so the file has null there."""
    stands = {name: ["x"] for name in ("manifests", "protocols", "hashes", "sources", "starts")}
    whole = filled(("mae", "corr"), **stands)
    figures = {rule: {"mae": nan, "corr": 0.25} for rule in whole.rules}
    one = Measured(0, 1, "12345678", "abcdef", figures, "1234567")
    known = Estimate(0.25, 0.01, 2, "folds", 2)
    lost = {"mae": Estimate(nan, nan, 2, "folds", 2), "corr": known}
    line = replace(whole.lines[-1], figures=dict.fromkeys(whole.rules, lost), measured=(one,))
    whole = replace(whole, lines=(*whole.lines[:-1], line))
    write_tables(Tables("1", "A table", (whole.table,)), [whole], tmp_path)
    (read,) = read_tables(tmp_path / "table1.json")
    figures = read.lines[-1].measured[0].figures["paper_rule"]
    assert isnan(figures["mae"]) and figures["corr"] == 0.25
    (committed,) = read_committed(tmp_path / "table1.json")
    for again in (read.lines[-1].figures, committed.lines["MSAF"].figures):
        assert isnan(again["last_epoch"]["mae"].mean)
        assert again["last_epoch"]["corr"] == known
