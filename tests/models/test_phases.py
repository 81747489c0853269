"""Training in phases: which epoch belongs to which, and what a batch then trains."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from experiments.runs.compose import build
from models.contracts import Batch, Criterion, Losses, Prediction
from models.tasks import Phases, Regression
from tests.models.fusions.helpers import compose


class TwoSteps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 1)
        self.phase = "none"

    def enter(self, phase: str) -> None:
        self.phase = phase

    def phase_parts(self) -> dict[str, nn.Module]:
        return {"first": self.first, "second": self.second}

    def forward(self, batch: Batch) -> Prediction:
        codes = self.first(batch["x"])
        return Prediction(self.second(codes.detach()), {"codes": codes})

    def parts(self) -> dict[str, nn.Module]:
        return self.phase_parts()

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        losses = {
            "first": prediction.parts["codes"].square().mean(),
            "second": prediction.scores.square().mean(),
        }
        return {"total": losses[self.phase], **losses}


def rule(epochs: int, **shares: float) -> Phases:
    return Phases(
        optimizer=lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1),
        shares=shares,
        epochs=epochs,
    )


def test_the_epochs_are_shared_out_in_order() -> None:
    three = rule(10, a=0.3, b=0.2, c=0.5)
    assert "".join(three.phase(epoch) for epoch in range(10)) == "aaabbccccc"
    assert [rule(1, a=0.9, b=0.1).phase(0), rule(3, a=0.5, b=0.5).phase(1)] == ["b", "b"]


def test_every_phase_has_an_epoch_where_there_are_enough() -> None:
    short = rule(20, a=0.0141, b=0.0141, c=0.9718)
    assert "".join(short.phase(epoch) for epoch in range(20)) == "ab" + 18 * "c"
    late = rule(4, a=0.98, b=0.01, c=0.01)
    assert "".join(late.phase(epoch) for epoch in range(4)) == "aabc"
    assert rule(2, a=0.4, b=0.3, c=0.3).phase(0) == "b"


def test_only_the_part_of_the_phase_moves() -> None:
    network, phases = TwoSteps(), rule(4, first=0.5, second=0.5)
    optimizer = phases.configure(network)["optimizer"]
    logged: list[Any] = []
    batch = {"x": torch.randn(5, 2), "label": torch.zeros(5)}
    for epoch in range(4):
        task = SimpleNamespace(
            network=network,
            current_epoch=epoch,
            losses=lambda prediction, b: network.loss(prediction, b, Regression.criterion),
            record=lambda p, losses, b: logged.append(losses),
        )
        before = {name: p.detach().clone() for name, p in network.named_parameters()}
        optimizer.zero_grad()
        loss = phases.step(task, batch)  # type: ignore[arg-type]
        loss.backward()
        optimizer.step()
        moved = {n.split(".")[0] for n, p in network.named_parameters()
                 if not torch.equal(p, before[n])}  # fmt: skip
        assert moved == {"first" if epoch < 2 else "second"}
        assert torch.equal(loss, logged[-1]["first" if epoch < 2 else "second"])
    assert {"total", "first", "second"} == set(logged[0]) == set(logged[-1])


def test_a_phase_may_have_a_rate_of_its_own() -> None:
    network, phases = TwoSteps(), rule(4, first=0.5, second=0.5)
    phases.rates = {"second": 0.02}
    optimizer = phases.configure(network)["optimizer"]
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert rates == {
        id(p): 0.02 if name.startswith("second") else 0.1 for name, p in network.named_parameters()
    }
    phases.rates = {"third": 0.02}
    with pytest.raises(
        ValueError, match=r"rates: TwoSteps has no phase third; its phases are first, second"
    ):
        phases.configure(network)
    with pytest.raises(ValueError, match=r"shares: TwoSteps has no phase warm; its phases are"):
        rule(4, warm=0.5, second=0.5).configure(network)


def rates_of(phases: Phases, epochs: int) -> list[float]:
    """The rate that each epoch trains with."""
    network = TwoSteps()
    configured: Any = phases.configure(network)
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    found = []
    for epoch in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        task = SimpleNamespace(current_epoch=epoch, lr_schedulers=lambda: schedule)
        phases.end_epoch(task)  # type: ignore[arg-type]
    return found


def test_the_schedule_starts_again_with_every_phase() -> None:
    phases = rule(7, first=3 / 7, second=4 / 7)
    phases.scheduler = lambda o: torch.optim.lr_scheduler.StepLR(o, 2, gamma=0.5)
    expected = [0.1, 0.1, 0.05, 0.1, 0.1, 0.05, 0.05]
    assert rates_of(phases, 7) == pytest.approx(expected)
    phases.rates = {"second": 0.02}
    assert rates_of(phases, 7) == pytest.approx(expected)
    warming = rule(4, first=0.5, second=0.5)
    warming.scheduler = lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.5, 1.0, total_iters=2)
    assert rates_of(warming, 4) == pytest.approx([0.05, 0.075, 0.05, 0.075])


def test_the_rates_of_mfas_epoch_by_epoch() -> None:
    """An epoch of central weights, then a cosine of 1e-3 to 1e-6 over 5, 10, 20 and 40 epochs.

    Two fifths down the first: 1e-6 + 999e-6 * (1 + cos 72 degrees) / 2 = 1e-6 + 653.854e-6.
    """
    cfg = compose("task=ntu", "fusion=mfas", "data=full", "data.root=x")
    phases = build(cfg.training)
    phases.ends = dict(zip(("first", "second"), phases.ends.values(), strict=True))
    found = rates_of(phases, 71)
    assert cfg.epochs == 71 and phases.ends == {"first": 1, "second": 71}
    assert found[:7] == pytest.approx(
        [1e-3, 1e-3, 9.04604e-4, 6.54854e-4, 3.46146e-4, 9.6396e-5, 1e-3], rel=1e-5
    )
    assert [epoch for epoch, rate in enumerate(found) if rate == 1e-3] == [0, 1, 6, 16, 36]
    assert found[11] == found[26] == found[56] == pytest.approx(5.005e-4)  # half-way down each
    assert found[70] == pytest.approx(1e-6 + 999e-6 * (1 + math.cos(math.pi * 34 / 40)) / 2)


def test_wrong_shares_and_networks_without_phases_are_refused() -> None:
    for shares in ({}, {"a": 0.5, "b": 0.4}, {"a": 1.5, "b": -0.5}):
        with pytest.raises(ValueError, match="positive shares that sum to 1, found"):
            rule(4, **shares)
    with pytest.raises(ValueError, match=r"Linear is no PhasedNetwork.*enter\(phase\)"):
        rule(4, a=1.0).configure(nn.Linear(2, 2))
