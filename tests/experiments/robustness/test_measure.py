"""A run on corrupted data: what it predicts is worked out again from the network itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.reopen import reopen
from experiments.robustness import measure as module
from experiments.robustness.conditions import Condition, Corruptions
from experiments.robustness.measure import Measuring, Outcome
from experiments.runs.folder import RunError
from tests.experiments.conftest import MakeRun

Predict = Callable[[Any, dict[str, torch.Tensor]], torch.Tensor]
CORRUPTIONS = Corruptions(
    OmegaConf.create(
        {"audio": {"scale": {"_target_": "tests.experiments.fakes.Scaled", "strengths": [0, 3]}}}
    )
)
SCALED = [Condition("audio", "scale", strength, "times") for strength in (0, 3)]
ABSENT = Condition("audio", "absent")


@pytest.fixture
def measuring(tmp_path: Path) -> Measuring:
    return Measuring("last_epoch", CORRUPTIONS, None, tmp_path / "out", trust=True)


def trained(make_run: MakeRun, *overrides: str) -> FinishedRun:
    made = make_run("init=scratch", "epochs=6", *overrides)
    made.complete()
    return FinishedRun(made.folder, made.folder.metrics())


def accuracy(
    run: FinishedRun, predict: Callable[[Any, dict[str, torch.Tensor]], torch.Tensor]
) -> float:
    found = reopen(run, "last_epoch", trust=True)
    right: list[bool] = []
    with torch.no_grad():
        for batch in found.batches("test"):
            right += (predict(found.network, batch).argmax(1) == batch["label"]).tolist()
    return 100 * sum(right) / len(right)


def outcome(found: Any) -> Outcome:
    assert isinstance(found, Outcome)
    return found


def test_accuracy_of_corrupted_data(make_run: MakeRun, measuring: Measuring) -> None:
    run = trained(make_run, "fusion=msaf")
    seen: list[None] = []
    found = measuring.measure(run, SCALED, lambda: seen.append(None))
    assert len(seen) == 3
    written = run.metrics["reported"]["last_epoch"]["test"]["accuracy"]
    assert outcome(found["clean"]).metrics["accuracy"] == pytest.approx(written, abs=1e-4)
    expected = []
    for strength in (0, 3):
        expected.append(
            accuracy(run, lambda net, b, s=strength: net({**b, "audio": s * b["audio"]}).scores)  # type: ignore[misc]
        )
        name = f"audio.scale={strength}"
        assert outcome(found[name]).metrics["accuracy"] == pytest.approx(expected[-1], abs=1e-4)
    assert written != expected[0]  # or nothing would have been shown


def test_an_absent_modality_leaves_the_logits_of_the_others(
    make_run: MakeRun, measuring: Measuring
) -> None:
    run = trained(make_run, "fusion=sum")
    found = measuring.measure(run, [ABSENT], lambda: None)

    def units_alone(network: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        branch = network.branches["action_units"]
        return torch.as_tensor(branch.finish(branch.begin(batch["action_units"]))[1])

    alone = accuracy(run, units_alone)
    assert outcome(found["audio.absent"]).metrics["accuracy"] == pytest.approx(alone, abs=1e-4)
    assert alone != outcome(found["clean"]).metrics["accuracy"]


def test_shares_of_attention(make_run: MakeRun, measuring: Measuring) -> None:
    run = trained(make_run, "fusion=msaf")
    found = measuring.measure(run, SCALED, lambda: None)
    clean, silent = outcome(found["clean"]), outcome(found["audio.scale=0"])
    assert [share.module for share in clean.shares] == ["middle", "late"]
    for share in (*clean.shares, *silent.shares):
        assert share.modalities == ("audio", "action_units")
        assert sum(share.shares) == pytest.approx(1)
        assert sum(share.uniform) == pytest.approx(1)
    assert clean.shares[-1].shares != silent.shares[-1].shares


def test_what_was_measured_is_not_measured_again(
    make_run: MakeRun, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(make_run, "fusion=sum")
    first = measuring.measure(run, SCALED[:1], lambda: None)
    opened: list[FinishedRun] = []

    def count(run: FinishedRun, rule: str, *, trust: bool) -> Any:
        opened.append(run)
        return reopen(run, rule, trust=trust)

    monkeypatch.setattr(module, "reopen", count)
    assert measuring.measure(run, SCALED[:1], lambda: None) == first
    assert not opened
    more = measuring.measure(run, SCALED, lambda: None)  # one is new
    assert len(opened) == 1
    assert {key: more[key] for key in first} == first
    part = next((measuring.out / "parts").iterdir())
    part.write_text(part.read_text()[:100])  # damaged: everything is measured anew
    assert measuring.measure(run, SCALED, lambda: None) == more
    assert len(opened) == 2


def test_other_weights_are_measured_anew_and_refused(
    make_run: MakeRun, measuring: Measuring
) -> None:
    run = trained(make_run, "fusion=sum")
    measuring.measure(run, [], lambda: None)
    file = run.folder.weights("last_epoch")
    state = torch.load(file, weights_only=True)
    torch.save({name: -x if x.is_floating_point() else x for name, x in state.items()}, file)
    with pytest.raises(RunError, match=r"scores differ from those in predictions.npz by up to"):
        measuring.measure(run, [], lambda: None)
    file.unlink()
    with pytest.raises(RunError, match=r"last_epoch.pt: expected the weights .* found none"):
        measuring.measure(run, [], lambda: None)
