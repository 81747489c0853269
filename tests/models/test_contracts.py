"""The contracts of models/contracts.py, for every network and every mid-level fusion there is."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import models.baselines
from models import StagedNetwork
from models.contracts import BranchedNetwork, MidFusion, Network, PhasedNetwork, Prediction
from models.fusions import (
    MMTM,
    BottleneckAttention,
    CrossmodalAttention,
    GatedUnits,
    Multiplicative,
    SqueezeExcitation,
    SumLogits,
)
from models.tasks import Classification, Joint, Regression
from msaf import MSAF, UniformGate
from tests.models.baselines import test_centralnet, test_mfas, toy
from tests.models.fakes import OneTap, TwoTaps, points

Built = tuple[Any, dict[str, Tensor], type[Regression] | type[Classification]]


def staged(mid: Callable[..., Any] | None = None, **settings: Any) -> StagedNetwork:
    torch.manual_seed(0)
    return StagedNetwork.build(
        {"one": OneTap, "two": TwoTaps},
        outputs=3,
        points=points(mid, {"one": "a", "two": "p"}) if mid else (),
        **{"readout": SumLogits} | settings,
    )


def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    one, two = (torch.randn(4, 2, size, generator=generator) for size in (7, 3))
    return {"one": one, "two": two, "label": torch.tensor([0, 1, 2, 0])}


def built(kind: type[nn.Module]) -> Built:
    """Return a small network of a class, a batch for it, and the task that trains it."""
    if kind is StagedNetwork:
        return staged(partial(MSAF, reduction=1)), batch(), Classification
    if kind is models.baselines.MFAS:
        return test_mfas.network(), test_mfas.batch(), Classification
    if kind is models.baselines.CentralNet:
        return test_centralnet.network(), test_centralnet.batch(), Classification
    return toy.build(kind), toy.batch(), Regression  # type: ignore[arg-type]


NETWORKS = [StagedNetwork, *(vars(models.baselines)[name] for name in models.baselines.__all__)]
OWN_LOSS = {"TFN", "LMF", "MFM", "MISA"}
PHASES = {
    "MFAS": ["central", "all"],
    "DCCA": ["correlation", "prediction"],
    "ICCN": ["correlation", "prediction"],
}
MID_FUSIONS = [
    (partial(MMTM, ratio=2), False),
    (SqueezeExcitation, False),
    (GatedUnits, False),
    (CrossmodalAttention, False),
    (BottleneckAttention, False),
    (MSAF, False),
    (UniformGate, False),
    (partial(MSAF, join_mean="masked"), True),
    (partial(CrossmodalAttention, join_mean="masked"), True),
    (partial(BottleneckAttention, join_mean="masked"), True),
]


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_predicts_and_knows_its_losses(kind: type[nn.Module]) -> None:
    network, data, task = built(kind)
    assert isinstance(network, Network)
    prediction = network(data)
    assert isinstance(prediction, Prediction)
    assert len(prediction.scores) == len(data["label"])
    losses = network.loss(prediction, data, task.criterion)
    assert losses["total"].ndim == 0
    known = {id(p) for p in network.parameters()}
    assert {id(p) for part in network.parts().values() for p in part.parameters()} <= known


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_criterion_is_the_tasks_unless_a_loss_was_published(kind: type[nn.Module]) -> None:
    network, data, task = built(kind)
    asked: list[tuple[int, ...]] = []

    def criterion(scores: Tensor, labels: Tensor) -> Tensor:
        asked.append(tuple(scores.shape))
        return task.criterion(scores, labels)

    network.loss(network(data), data, criterion)
    assert bool(asked) is (kind.__name__ not in OWN_LOSS)


@pytest.mark.parametrize("kind", NETWORKS)
def test_which_networks_are_trained_in_phases_or_by_branch(kind: type[nn.Module]) -> None:
    network, _, _ = built(kind)
    assert isinstance(network, BranchedNetwork) is (kind is StagedNetwork)
    assert isinstance(network, PhasedNetwork) is (kind.__name__ in PHASES)
    if isinstance(network, PhasedNetwork):
        parts = network.phase_parts()
        assert list(parts) == PHASES[kind.__name__]
        found = [id(p) for part in parts.values() for p in part.parameters()]
        assert sorted(found) == sorted(id(p) for p in network.parameters())
        for phase in parts:
            network.enter(phase)


def test_a_readout_with_a_loss_of_its_own_leaves_the_criterion_aside() -> None:
    network = staged(readout=Multiplicative)
    losses = [
        network.loss(network(batch()), batch(), criterion)["total"]
        for criterion in (Classification.criterion, Regression.criterion)
    ]
    assert torch.equal(*losses)


def test_a_task_hands_its_criterion_to_its_network() -> None:
    network, data = staged(), batch()
    task = Classification(network, training=Joint(optimizer=torch.optim.Adam), splits=[])
    prediction = network(data)
    expected = nn.functional.cross_entropy(prediction.scores, data["label"])
    assert torch.equal(task.losses(prediction, data)["total"], expected)


@pytest.mark.parametrize(("build", "takes_masks"), MID_FUSIONS)
def test_every_mid_level_fusion_keeps_shapes_and_says_whether_it_takes_masks(
    build: Callable[..., Any], takes_masks: bool
) -> None:
    fusion = build([8, 12])
    assert isinstance(fusion, MidFusion)
    assert fusion.takes_masks is takes_masks
    features = [torch.randn(2, 8, 5), torch.randn(2, 12, 3)]
    masks = [torch.tensor([[True] * 4 + [False]] * 2), None]
    fused = fusion(features, masks) if takes_masks else fusion(features)
    assert [x.shape for x in fused] == [x.shape for x in features]
    if not takes_masks:
        with pytest.raises((TypeError, ValueError)):
            fusion(features, masks)


class Undeclared(nn.Module):
    """A mid-level fusion but for what it does not declare."""

    def __init__(self, in_channels: Sequence[int]) -> None:
        super().__init__()

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        return list(features)


def test_a_fusion_that_does_not_declare_itself_is_refused_when_the_network_is_built() -> None:
    with pytest.raises(ValueError, match=r"^Undeclared is no MidFusion.*say takes_masks"):
        staged(Undeclared)


@pytest.mark.parametrize("readout", [lambda sizes, outputs: None, nn.Linear, partial(nn.Linear)])
def test_what_builds_no_readout_is_refused_when_the_network_is_built(readout: Any) -> None:
    with pytest.raises(ValueError, match=r"readout: expected a class that extends models\.fusions"):
        staged(readout=readout)
