"""Table 4's RAVDESS rows: what the sweep composes, and single settings by hand."""

from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.models.fusions.helpers import compose, network

ROWS = [  # block channels, BlockDropout, lowest attention
    ([8, 16], 0.0, 0.0),
    ([16, 32], 0.0, 0.0),
    ([32, 64], 0.0, 0.0),
    ([32, 64], 0.2, 0.0),
    ([16, 32], 0.2, 0.0),
    ([16, 32], 0.2, 0.25),
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


def test_the_sweep_chooses_its_task_and_fusion() -> None:
    cfg = compose("sweep=table4_ravdess")
    assert (cfg.task.name, cfg.fusion.name) == ("ravdess", "msaf")


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
