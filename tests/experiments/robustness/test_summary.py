"""Means, errors and paired differences over runs, against numpy on the same figures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from experiments.evaluation.experiments import Experiment
from experiments.evaluation.finished import FinishedRun
from experiments.robustness.conditions import CLEAN, Condition
from experiments.robustness.measure import Outcome, Share
from experiments.robustness.summary import Measured, attention, figures
from experiments.robustness.write import Robustness, write_robustness
from experiments.runs.folder import RunFolder
from tests.experiments.finished import finished_run

NOISE = Condition("audio", "noise", 10.0, "dB SNR")
KEYS = [(fold, seed) for fold in range(3) for seed in (1, 2)]


def measured(place: Path, label: str, accuracies: np.ndarray, shares: np.ndarray) -> Measured:
    """Experiment with `(folds, seeds, conditions)` accuracies and shares of audio."""
    runs = []
    for fold, seed in KEYS:
        folder = RunFolder(finished_run(place / label, fold=fold, seed=seed, fusion=label))
        runs.append(FinishedRun(folder, folder.metrics()))
    outcomes = {}
    for fold, seed in KEYS:
        outcomes[fold, seed] = {
            condition.key: Outcome(
                {"accuracy": float(accuracies[fold, seed - 1, k]), "top2": 0.0},
                (share_of(float(shares[fold, seed - 1, k])),),
            )
            for k, condition in enumerate((CLEAN, NOISE))
        }
    return Measured(Experiment(label, tuple(runs)), (CLEAN, NOISE), outcomes)  # type: ignore[arg-type]


def share_of(audio: float) -> Share:
    return Share("late", ("video", "audio"), (1 - audio, audio), (0.75, 0.25))


def by_hand(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard error over folds of `(folds, seeds)` figures."""
    folds = values.mean(1)
    return float(folds.mean()), float(folds.std(ddof=1) / np.sqrt(len(folds)))


@pytest.fixture
def numbers() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.uniform(size=(3, 2, 2)) for name in ("sum", "msaf", "shares")}


def test_figures(tmp_path: Path, numbers: dict[str, np.ndarray]) -> None:
    first = measured(tmp_path, "sum", numbers["sum"], numbers["shares"])
    second = measured(tmp_path, "msaf", numbers["msaf"], numbers["shares"])
    rows = [row for row in figures([first, second], "sum") if row["metric"] == "accuracy"]
    noisy = next(r for r in rows if (r["experiment"], r["corruption"]) == ("msaf", "noise"))
    own, other = numbers["msaf"], numbers["sum"]
    assert (noisy["mean"], noisy["error"]) == pytest.approx(by_hand(own[..., 1]))
    change = by_hand(own[..., 1] - own[..., 0])
    assert (noisy["change_mean"], noisy["change_error"]) == pytest.approx(change)
    against = by_hand(own[..., 1] - other[..., 1])
    assert (noisy["against_mean"], noisy["against_error"]) == pytest.approx(against)
    reference = next(r for r in rows if r["experiment"] == "sum")
    assert reference["against_mean"] is None


def test_attention(tmp_path: Path, numbers: dict[str, np.ndarray]) -> None:
    rows = list(attention([measured(tmp_path, "msaf", numbers["msaf"], numbers["shares"])]))
    noisy = next(r for r in rows if (r["corruption"], r["share_of"]) == ("noise", "audio"))
    shares = numbers["shares"]
    assert (noisy["mean"], noisy["error"]) == pytest.approx(by_hand(shares[..., 1]))
    change = by_hand(shares[..., 1] - shares[..., 0])
    assert (noisy["change_mean"], noisy["change_error"]) == pytest.approx(change)
    assert noisy["uniform"] == 0.25


@pytest.mark.parametrize("provenance", ["sample", "real"])
def test_files(tmp_path: Path, numbers: dict[str, np.ndarray], provenance: str) -> None:
    found = measured(tmp_path, "msaf", 100 * numbers["msaf"], numbers["shares"])
    for run in found.experiment.runs:
        run.metrics["provenance"] = provenance
    robustness = Robustness("ravdess", "last_epoch", [found], None, ["a run: not complete"])
    write_robustness(robustness, tmp_path / "out")
    text = (tmp_path / "out" / "robustness.md").read_text()
    assert ("(sample data)" in text) == (provenance == "sample")
    mean, error = by_hand(100 * numbers["msaf"][..., 1])
    assert f"{mean:.1f} ± {error:.1f}" in text
    assert "* a run: not complete" in text
    assert "noise in dB SNR" in text
    stored = json.loads((tmp_path / "out" / "robustness.json").read_text())
    assert stored["provenance"] == provenance
    run = next(r for r in stored["runs"] if (r["fold"], r["seed"]) == (1, 2))
    assert run["outcomes"]["audio.noise=10"]["metrics"]["accuracy"] == pytest.approx(
        100 * numbers["msaf"][1, 1, 1]
    )
    with (tmp_path / "out" / "figures.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["provenance"] for row in rows} == {provenance}
    assert float(rows[2]["mean"]) == pytest.approx(mean)
