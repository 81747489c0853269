"""Squeeze-and-excitation against hand-worked numbers and loops; no modality sees another."""

import math

import pytest
import torch

from models.fusions import MMTM, SqueezeExcitation
from tests.models.fusions import by_hand
from tests.models.fusions.helpers import count


def test_by_hand() -> None:
    """Mean 2 of the one channel: relu(3 * 2 - 1) = 5; gate sigmoid(0.2 * 5 + 1)."""
    module = SqueezeExcitation([1, 1], reduction=1)
    with torch.no_grad():
        for value, parameter in zip(
            (3.0, -1.0, 0.2, 1.0), module.blocks[0].parameters(), strict=True
        ):
            parameter.fill_(value)
    first, _ = module([torch.tensor([[[1.0, 3.0]]]), torch.tensor([[7.0]])])
    gate = 1 / (1 + math.exp(-2))
    torch.testing.assert_close(first, torch.tensor([[[gate, 3 * gate]]]))


@torch.no_grad()
def test_in_loops() -> None:
    module = SqueezeExcitation([4, 6], reduction=2)
    by_hand.shake(module)
    features = [torch.randn(3, 4, 2, 3, 2), torch.randn(3, 6)]
    found = module(features)
    for block, x, out in zip(module.blocks, features, found, strict=True):
        for sample in range(3):
            values = by_hand.array(x[sample]).reshape(x.shape[1], -1)
            squeezed = [sum(row) / len(row) for row in values]
            hidden = by_hand.linear(block.squeeze, squeezed).clip(min=0)
            for channel, u in enumerate(by_hand.linear(block.excite, hidden)):
                wanted = x[sample, channel] / (1 + math.exp(-u))
                torch.testing.assert_close(out[sample, channel], wanted)


def test_no_modality_sees_another_and_mmtm_does() -> None:
    features = [torch.randn(2, 4, 3), torch.randn(2, 6)]
    other = [features[0], torch.randn(2, 6)]
    for module, same in ((SqueezeExcitation([4, 6]), True), (MMTM([4, 6]), False)):
        assert torch.equal(module(features)[0], module(other)[0]) is same


def test_counts() -> None:
    """2 C o + o + C of each: MMTM's count with one modality and the same bottleneck."""
    assert count(SqueezeExcitation([1024, 32])) == (
        2 * 1024 * 512 + 512 + 1024 + 2 * 32 * 16 + 16 + 32
    )
    assert count(SqueezeExcitation([64, 32], reduction=16)) == 2 * 64 * 4 + 68 + 2 * 32 * 2 + 34


@pytest.mark.parametrize("reduction", [0, 5])
def test_what_is_refused(reduction: float) -> None:
    with pytest.raises(ValueError, match=f"reduction above 0 and up to 4, got {reduction}"):
        SqueezeExcitation([8, 4], reduction=reduction)
    with pytest.raises(ValueError, match=r"C = \(8, 4\), got shapes"):
        SqueezeExcitation([8, 4])([torch.zeros(2, 4), torch.zeros(2, 8)])
