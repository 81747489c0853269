"""Gated multimodal units against hand-worked numbers and naive loops."""

import math

import pytest
import torch
from torch import Tensor

from models.fusions import GatedUnits
from tests.models.fusions import by_hand
from tests.models.fusions.helpers import count


def sigmoid(u: float) -> float:
    return 1 / (1 + math.exp(-u))


def test_by_hand() -> None:
    """Means 2 and -1. Gates of the first: sigmoid(2 - 1 + 0.5), sigmoid(0.5); message tanh(-2)."""
    module = GatedUnits([1, 1])
    unit = module.units[0]
    with torch.no_grad():
        unit.gates.weight.copy_(torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
        unit.gates.bias.fill_(0.5)
        unit.messages[0].weight.fill_(2.0)
    first, _ = module([torch.tensor([[[1.0, 3.0]]]), torch.tensor([[-1.0]])])
    given = sigmoid(0.5) * math.tanh(-2)
    wanted = [sigmoid(1.5) + given, 3 * sigmoid(1.5) + given]
    torch.testing.assert_close(first, torch.tensor([[wanted]]))


@torch.no_grad()
def naive(module: GatedUnits, features: list[Tensor]) -> list[Tensor]:
    outputs = [torch.empty_like(x) for x in features]
    for sample in range(len(features[0])):
        means = [
            x[sample].double().flatten(1).mean(1).numpy()
            if x.ndim > 2
            else by_hand.array(x[sample])
            for x in features
        ]
        joint = [value for mean in means for value in mean]
        for m, (x, unit) in enumerate(zip(features, module.units, strict=True)):
            gates = [sigmoid(u) for u in by_hand.linear(unit.gates, joint)]
            others = [k for k in range(len(features)) if k != m]
            for channel in range(x.shape[1]):
                y = x[sample, channel] * gates[channel]
                for number, k in enumerate(others):
                    message = by_hand.linear(unit.messages[number], means[k])[channel]
                    y = y + gates[(number + 1) * x.shape[1] + channel] * math.tanh(message)
                outputs[m][sample, channel] = y
    return outputs


@pytest.mark.parametrize(
    "shapes",
    [[(4, 3, 2, 5), (6, 7)], [(4, 3, 2, 5), (6, 7), (5,)], [(2,), (3,), (4, 2), (5, 2, 2)]],
)
def test_in_loops(shapes: list[tuple[int, ...]]) -> None:
    module = GatedUnits([s[0] for s in shapes]).double()
    by_hand.shake(module)
    features = [torch.randn(3, *s, dtype=torch.float64) for s in shapes]
    kept = [x.clone() for x in features]
    for out, wanted in zip(module(features), naive(module, features), strict=True):
        torch.testing.assert_close(out, wanted)
    assert all(torch.equal(x, y) for x, y in zip(features, kept, strict=True))


def test_counts() -> None:
    """M d (d + 1) in the gates, C_m C_k in the messages."""
    assert count(GatedUnits([6, 4])) == 2 * 10 * 11 + 2 * 24
    assert count(GatedUnits([6, 4, 5])) == 3 * 15 * 16 + 2 * (24 + 30 + 20)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 modalities or more"):
        GatedUnits([4])
    with pytest.raises(ValueError, match=r"C = \(8, 4\), got shapes"):
        GatedUnits([8, 4])([torch.zeros(2, 4), torch.zeros(2, 8)])
