"""Whole-network rivals as runs: complete folders, clipping, phases, exact continuation."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.runs.folder import RunError
from experiments.runs.run import Run
from models.tasks import Phases
from tests.experiments.fakes import KilledError
from tests.experiments.sentiment import make_run, train

ICCN = [
    "fusion=iccn",
    "fusion.network.hidden=4",
    "fusion.network.filters=[2,2]",
    "fusion.network.dimensions=4",
    "epochs=4",
]
VOLATILE = {"seconds", "finished"}


def log_of(run: Run) -> list[dict[str, float]]:
    with (run.folder.path / "log.csv").open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_misa_clips_every_gradient_by_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest: list[float] = []
    original = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, closure: Any = None) -> Any:
        result = original(self, closure)  # the closure fills and clips the gradients
        found = [p.grad for group in self.param_groups for p in group["params"]]
        largest.append(max(float(g.abs().max()) for g in found if g is not None))
        return result

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    sizes = ["fusion.network.codes=8", "fusion.network.feedforward=8", "epochs=1"]
    run = train(tmp_path, "fusion=misa", *sizes, "trainer.gradient_clip_val=1e-3")
    assert len(largest) == 6
    assert max(largest) == pytest.approx(1e-3)
    metrics = run.folder.metrics()
    assert {"val_selected", "paper_rule", "last_epoch"} == set(metrics["reported"])
    assert metrics["paper_size_parameters"]["total"] < 1_431_517  # of narrower codes
    assert make_run(tmp_path, "fusion=misa").cfg.trainer.gradient_clip_val == 1.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("whole"), *ICCN)


def test_phases_follow_each_other_and_are_in_the_log(whole: Run) -> None:
    rows = log_of(whole)
    for row in rows[:2]:
        assert row["train/loss"] == pytest.approx(row["train/correlation"])
    for row in rows[2:]:
        assert row["train/loss"] == pytest.approx(row["train/prediction"])


def test_a_run_killed_between_its_phases_ends_with_the_same_figures(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Phases.step, {"n": 0}

    def dying(*args: Any) -> Any:
        calls["n"] += 1
        if calls["n"] == 15:  # six batches an epoch: the first of the second phase is the 13th
            raise KilledError
        return original(*args)

    monkeypatch.setattr(Phases, "step", dying)
    with pytest.raises(KilledError):
        train(tmp_path / "killed", *ICCN)
    monkeypatch.setattr(Phases, "step", original)
    continued = train(tmp_path / "killed", *ICCN)
    first, second = (
        {k: v for k, v in run.folder.metrics().items() if k not in VOLATILE}
        for run in (whole, continued)
    )
    assert first == second


def test_a_batch_too_small_for_its_correlations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"fusion=iccn correlates views of 4 .* found batch_size=4"):
        make_run(tmp_path, *ICCN, "batch_size=4")
