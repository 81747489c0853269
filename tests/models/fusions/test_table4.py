"""Table 4's rows on RAVDESS and MOSEI: what they compose, and single settings by hand."""

from typing import Any

import pytest
import torch

from experiments.tables.table import load_table
from tests.models.fusions.helpers import CONFIGS, network

ROWS = [  # block channels, BlockDropout, lowest attention
    ([8, 16], 0.0, 0.0),
    ([16, 32], 0.0, 0.0),
    ([32, 64], 0.0, 0.0),
    ([32, 64], 0.2, 0.0),
    ([16, 32], 0.2, 0.0),
    ([16, 32], 0.2, 0.25),
]

MOSEI_ROWS = [  # block channels, BlockDropout, segments
    (8, 0.0, 1),
    (16, 0.0, 1),
    (32, 0.0, 1),
    (16, 0.2, 1),
    (16, 0.2, 5),
    (16, 0.2, 10),
]


def jobs(table: str) -> list[list[str]]:
    """Return the overrides of each row of a table, with those that all rows have."""
    found = load_table(CONFIGS, table)
    return [[*found.overrides, *row.overrides] for row in found.rows]


def described(*words: str, protocol: str = "paper") -> list[tuple[Any, ...]]:
    with torch.device("meta"):
        net = network(*words, f"protocol={protocol}", "data=full")
    points: list[Any] = [point.fusion for point in net.points]
    return [
        (p.block_channels, p.dropout.p, p.lowest_attention, p.dropout.form, p.dropout.mask)
        for p in points
    ]


@pytest.mark.parametrize("protocol", ["paper", "released"])
def test_the_rows_of_ravdess(protocol: str) -> None:
    found = jobs("4_ravdess")
    assert len(found) == len(ROWS)
    for overrides, (channels, dropout, lowest) in zip(found, ROWS, strict=True):
        assert {"task=ravdess", "fusion=msaf"} <= set(overrides)
        wanted = [(c, dropout, lowest, protocol, "sample") for c in channels]
        assert described(*overrides, protocol=protocol) == wanted


def test_the_rows_of_action_units_vary_the_same_settings() -> None:
    own = [row.overrides for row in load_table(CONFIGS, "4_action_units").rows]
    assert own == [row.overrides for row in load_table(CONFIGS, "4_ravdess").rows]


def test_the_rows_of_mosei() -> None:
    for overrides, wanted in zip(jobs("4_mosei"), MOSEI_ROWS, strict=True):
        assert {"task=mosei", "fusion=msaf"} <= set(overrides)
        with torch.device("meta"):
            (point,) = network(*overrides, "data=full").points
        fusion: Any = point.fusion
        assert (fusion.block_channels, fusion.dropout.p, fusion.segments) == wanted
        assert (fusion.reduction, fusion.lowest_attention) == (2, 0.0)


@pytest.mark.parametrize("fusion", ["msaf", "uniform"])
def test_single_settings(fusion: str) -> None:
    word = f"fusion={fusion}"
    paper = ("paper", "sample")
    assert described(word) == [(16, 0.2, 0.0, *paper), (32, 0.2, 0.0, *paper)]
    assert described(word, "fusion.mid.block_dropout=0")[0] == (16, 0.0, 0.0, *paper)
    late = "fusion.points.late.block_channels"
    chosen = described(word, f"{late}=8", "protocol.dropout_mask=batch")
    assert chosen == [(16, 0.2, 0.0, "paper", "batch"), (8, 0.2, 0.0, "paper", "batch")]
    half = described(word, "fusion.points.middle.block_channels=auto", f"{late}=auto")
    assert [point[0] for point in half] == [16, 32]  # min(1024, 32) / 2 and min(2048, 64) / 2
    one = described(word, "+fusion.points.late.block_dropout=0.5")
    assert [point[1] for point in one] == [0.2, 0.5]
    assert described(word, "points=[late]") == [(32, 0.2, 0.0, *paper)]


@pytest.mark.parametrize("fusion", ["msaf", "uniform"])
def test_without_settings_of_a_task_the_block_is_the_papers_rule(fusion: str) -> None:
    plain = described(f"fusion={fusion}", "~task_fusion")
    assert [point[:3] for point in plain] == [(16, 0.0, 0.0), (32, 0.0, 0.0)]
