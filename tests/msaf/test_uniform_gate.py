from typing import Any

import pytest
import torch

from msaf import MSAF, UniformGate


@pytest.mark.parametrize("argument", [{"reduction": 2}, {"join_mean": "all"}, {"blocks": 3}])
def test_takes_no_argument_that_does_not_act_on_it(argument: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(argument))):
        UniformGate([10, 6], **argument)
    if "blocks" not in argument:
        MSAF([20, 16], **argument)


def test_the_block_size_of_both_is_the_papers_rule() -> None:
    assert MSAF([11, 16]).block_channels == UniformGate([11, 16]).block_channels == 5


@pytest.mark.parametrize(("lowest", "gate"), [(0.0, 1 / 5), (0.5, 0.6), (1.0, 1.0)])
@pytest.mark.parametrize("segments", [1, 2])
def test_every_channel_is_scaled_alike(lowest: float, gate: float, segments: int) -> None:
    module = UniformGate([10, 6], block_channels=4, lowest_attention=lowest, segments=segments)
    features = [torch.randn(3, 10, 4, 2), torch.randn(3, 6, 5)]  # 3 + 2 blocks
    for x, out in zip(features, module(features), strict=True):
        assert torch.allclose(out, x * gate)


def test_equals_an_msaf_that_has_learned_nothing() -> None:
    settings = {"block_channels": 4, "lowest_attention": 0.3}
    module = MSAF([10, 6], **settings).eval()
    torch.nn.init.zeros_(module.highlight.weight)
    torch.nn.init.zeros_(module.highlight.bias)
    features = [torch.randn(2, 10, 3), torch.randn(2, 6)]
    for a, b in zip(module(features), UniformGate([10, 6], **settings)(features), strict=True):
        assert torch.allclose(a, b)
