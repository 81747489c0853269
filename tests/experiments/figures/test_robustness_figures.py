"""Plots of robustness: a file of each kind for each modality, and the numbers that are shown."""

import csv
from pathlib import Path

import numpy as np
import pytest

from experiments.figures.robustness import draw_robustness
from experiments.robustness.write import Robustness
from tests.experiments.robustness.test_summary import by_hand, measured


def test_pictures_and_their_numbers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    accuracies, shares = random.uniform(size=(3, 2, 2)), random.uniform(size=(3, 2, 2))
    every = [measured(tmp_path, label, accuracies, shares) for label in ("sum", "msaf")]
    paths = draw_robustness(Robustness("ravdess", "last_epoch", every, None, []), tmp_path / "out")
    stems = {"robustness_audio", "attention_audio"}
    assert {path.name for path in paths} == {
        f"{stem}.{kind}" for stem in stems for kind in ("png", "svg", "pdf", "csv")
    }
    assert all(path.stat().st_size for path in paths)
    for stem, values in (("robustness_audio", accuracies), ("attention_audio", shares)):
        with (tmp_path / "out" / f"{stem}.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["corruption"] == "noise"]
        assert len(rows) == 2
        for row in rows:
            assert (float(row["mean"]), float(row["error"])) == pytest.approx(
                by_hand(values[..., 1])
            )
    text = (tmp_path / "out" / "attention_audio.svg").read_text()
    assert "uniform gate" in text
