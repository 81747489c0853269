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


def rows(name: str) -> list[list[str]]:
    """Return the overrides of each row of a table."""
    table = load_table(CONFIGS, name)
    return [[*table.overrides, *row.overrides] for row in table.rows]


def described(*words: str, protocol: str = "paper") -> list[tuple[Any, ...]]:
    with torch.device("meta"):
        net = network(*words, f"protocol={protocol}", "data=full")
    points: list[Any] = [point.fusion for point in net.points]
    return [
        (p.block_channels, p.dropout.p, p.lowest_attention, p.dropout.form, p.dropout.mask)
        for p in points
    ]


@pytest.mark.parametrize("protocol", ["paper", "released"])
def test_the_rows_on_ravdess(protocol: str) -> None:
    for overrides, (channels, dropout, lowest) in zip(rows("4_ravdess"), ROWS, strict=True):
        wanted = [(c, dropout, lowest, protocol, "sample") for c in channels]
        assert described(*overrides, protocol=protocol) == wanted


def test_the_rows_on_mosei() -> None:
    for overrides, wanted in zip(rows("4_mosei"), MOSEI_ROWS, strict=True):
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
    assert described(word, "fusion.settings.block_dropout=0")[0] == (16, 0.0, 0.0, *paper)
    chosen = described(word, "fusion.settings.block_channels=[8,16]", "protocol.dropout_mask=batch")
    assert chosen == [(8, 0.2, 0.0, "paper", "batch"), (16, 0.2, 0.0, "paper", "batch")]
    half = described(word, "fusion.settings.block_channels=[auto,auto]")
    assert [point[0] for point in half] == [16, 32]  # min(1024, 32) / 2 and min(2048, 64) / 2


@pytest.mark.parametrize("fusion", ["msaf", "uniform"])
def test_without_settings_of_a_task_the_block_is_the_papers_rule(fusion: str) -> None:
    plain = described(f"fusion={fusion}", "~task_fusion")
    assert [point[:3] for point in plain] == [(16, 0.0, 0.0), (32, 0.0, 0.0)]
