"""Table 4's rows on RAVDESS and MOSEI: what the sweeps compose, and single settings by hand."""

from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.tables.table import load_table
from tests.models.fusions.helpers import CONFIGS, compose, network

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


def jobs(sweep: str) -> list[str]:
    """Return the words of each job, as the sweeper splits them."""
    cfg = compose(f"sweep={sweep}", return_hydra_config=True)
    ((key, value),) = cfg.hydra.sweeper.params.items()
    (override,) = OverridesParser.create().parse_overrides([f"{key}={value}"])
    return [f"{key}={choice}" for choice in override.sweep_string_iterator()]


def described(*words: str, protocol: str = "paper") -> list[tuple[Any, ...]]:
    with torch.device("meta"):
        net = network(*words, f"protocol={protocol}", "data=full")
    points: list[Any] = [point.fusion for point in net.points]
    return [
        (p.block_channels, p.dropout.p, p.lowest_attention, p.dropout.form, p.dropout.mask)
        for p in points
    ]


@pytest.mark.parametrize("protocol", ["paper", "released"])
def test_the_rows_of_the_sweep(protocol: str) -> None:
    found = jobs("table4_ravdess")
    assert len(found) == len(ROWS)
    for word, (channels, dropout, lowest) in zip(found, ROWS, strict=True):
        wanted = [(c, dropout, lowest, protocol, "sample") for c in channels]
        assert described("sweep=table4_ravdess", word, protocol=protocol) == wanted


def test_the_rows_of_the_mosei_sweep_are_those_of_the_table() -> None:
    found = jobs("table4_mosei")
    rows = load_table(CONFIGS, "4_mosei").rows
    assert [row.overrides[0].replace(" ", "") for row in rows] == found
    for word, wanted in zip(found, MOSEI_ROWS, strict=True):
        with torch.device("meta"):
            (point,) = network("sweep=table4_mosei", word, "data=full").points
        fusion: Any = point.fusion
        assert (fusion.block_channels, fusion.dropout.p, fusion.segments) == wanted
        assert (fusion.reduction, fusion.lowest_attention) == (2, 0.0)


@pytest.mark.parametrize("task", ["ravdess", "mosei"])
def test_the_sweep_chooses_its_task_and_fusion(task: str) -> None:
    cfg = compose(f"sweep=table4_{task}")
    assert (cfg.task.name, cfg.fusion.name) == (task, "msaf")


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
