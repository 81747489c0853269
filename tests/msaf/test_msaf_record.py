import pytest
import torch
from torch import Tensor, nn

from msaf import MSAF, UniformGate, record_attention


class TwoPoints(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.early = MSAF([8, 4], block_channels=4)
        self.late = nn.ModuleDict({"fuse": MSAF([8, 4], block_channels=2, reduction=2, segments=2)})
        self.control = UniformGate([8, 4], block_channels=2)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return self.control(self.late["fuse"](self.early(features)))


def features(batch: int = 3) -> list[Tensor]:
    return [torch.randn(batch, 8, 6), torch.randn(batch, 4, 5)]


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


def test_every_block_and_every_pass_under_its_name() -> None:
    network = TwoPoints()
    with record_attention(network) as maps:
        network(features())
        network(features(batch=2))
    assert set(maps) == {"early", "late.fuse"}
    assert [tuple(a.shape) for a in maps["early"]] == [(3, 3, 4), (2, 3, 4)]
    assert [tuple(a.shape) for a in maps["late.fuse"]] == [(3, 2, 6, 2), (2, 2, 6, 2)]
    assert not any(a.requires_grad for kept in maps.values() for a in kept)


def test_it_is_the_attention_that_scaled_the_features() -> None:
    module = MSAF([8, 4], block_channels=4).eval()
    x = features()
    with record_attention(module) as maps:
        outputs = module(x)
    gate = maps[""][0].flatten(1)  # (B, N * C)
    assert torch.allclose(outputs[0], x[0] * gate[:, :8, None])
    assert torch.allclose(outputs[1], x[1] * gate[:, 8:, None])


def test_it_is_the_attention_before_lambda_and_dropout() -> None:
    module = MSAF([8, 4], block_channels=4, lowest_attention=0.5, block_dropout=0.5)
    with record_attention(module) as maps:
        module(features())
    assert torch.allclose(maps[""][0].sum(1), torch.ones(3, 4))


def test_nothing_is_stored_outside() -> None:
    network = TwoPoints()
    with record_attention(network) as maps:
        network(features())
    assert hooks(network) == 0
    network(features())
    assert [len(kept) for kept in maps.values()] == [1, 1]


def test_an_exception_inside_stops_the_recording() -> None:
    network = TwoPoints()
    with pytest.raises(RuntimeError, match="inside"), record_attention(network):
        raise RuntimeError("inside")
    assert hooks(network) == 0


def test_recordings_can_be_nested() -> None:
    module = MSAF([8, 4], block_channels=4)
    with record_attention(module) as outer:
        with record_attention(module) as inner:
            module(features())
        module(features())
    assert len(inner[""]) == 1
    assert len(outer[""]) == 2


def test_a_network_without_blocks_has_no_maps() -> None:
    with record_attention(nn.Linear(2, 2)) as maps:
        pass
    assert maps == {}


def test_a_compiled_network_is_refused() -> None:
    compiled = torch.compile(TwoPoints(), backend="eager")
    with pytest.raises(ValueError, match=r"before torch\.compile"), record_attention(compiled):
        pass
    inside = TwoPoints()
    inside.early.compile(backend="eager")
    with pytest.raises(ValueError, match="'early' is compiled"), record_attention(inside):
        pass
    assert hooks(inside) == 0
