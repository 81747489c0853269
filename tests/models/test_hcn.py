"""HCN: the paper's sizes, and its arithmetic against separate networks for position and motion."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbones import HCN
from models.backbones.hcn import motion
from tests.models.test_backbones import parameters, shapes_by_stage


def test_the_papers_size() -> None:
    with torch.device("meta"):
        branch = HCN(outputs=60)
        shapes = shapes_by_stage(branch, torch.empty(1, 3, 32, 25, 2))
    assert shapes == {
        "conv1": [(128, 32, 25)] * 2,
        "conv2": [(50, 32, 32)] * 2,
        "conv3": [(64, 16, 16)] * 2,
        "conv4": [(128, 8, 8)] * 2,
        "conv5": [(128, 4, 4)] * 2,
        "conv6": [(256, 2, 2)],
        "fc7": [(512,)],
    }
    by_layer = {name: parameters(stage) for name, stage in branch.stages.items()}
    assert by_layer == {
        "conv1": 2 * 256,
        "conv2": 2 * 6_176,
        "conv3": 2 * 7_232,
        "conv4": 2 * 18_496,
        "conv5": 147_584,
        "conv6": 295_168,
        "fc7": 524_800,
    }
    assert parameters(branch) == 1_062_652
    assert {name: list(c) for name, c in branch.channels.items()} == {
        name: [shape[0] for shape in taps] for name, taps in shapes.items()
    }


@pytest.mark.parametrize(("frames", "persons", "width"), [(16, 1, 32), (40, 3, 48)])
def test_other_sizes(frames: int, persons: int, width: int) -> None:
    branch = HCN(outputs=5, frames=frames, joints=7, persons=persons, width=width)
    x = torch.randn(2, 3, frames, 7, persons)
    taps = shapes_by_stage(branch, x)
    assert {n: [s[0] for s in t] for n, t in taps.items()} == {
        n: list(c) for n, c in branch.channels.items()
    }
    assert branch.finish(branch.begin(x)).logits.shape == (2, 5)


def test_motion_is_the_difference_stretched_back() -> None:
    """T = 4: three differences a, b, c at 0.375, 1.125, ... of their axis, clamped at the ends."""
    a, b, c = 3.0, -1.0, 5.0
    track = torch.tensor([0, a, a + b, a + b + c]).view(1, 1, 4, 1).repeat(1, 3, 1, 2)
    expected = torch.tensor([a, 0.375 * a + 0.625 * b, 0.625 * b + 0.375 * c, c])
    torch.testing.assert_close(motion(track), expected.view(1, 1, 4, 1).expand(1, 3, 4, 2))


def stream(branch: HCN, x: Tensor, half: int) -> Tensor:
    """One stream of one person as a network of its own."""
    layers = {name: branch.stages[name][0] for name in ("conv1", "conv2", "conv3", "conv4")}

    def weights(name: str) -> tuple[Tensor, Tensor]:
        return layers[name].weight.chunk(2)[half], layers[name].bias.chunk(2)[half]

    y = F.relu(torch.einsum("oi,bitv->botv", weights("conv1")[0][:, :, 0, 0], x)
               + weights("conv1")[1].view(-1, 1, 1))  # fmt: skip
    y = F.conv2d(y, *weights("conv2"), padding=(1, 0)).permute(0, 3, 2, 1)  # (B, V, T, C)
    y = F.max_pool2d(F.conv2d(y, *weights("conv3"), padding=1), 2)
    return F.max_pool2d(F.conv2d(y, *weights("conv4"), padding=1), 2)


def test_the_whole_network_by_streams_and_persons() -> None:
    torch.manual_seed(0)
    branch = HCN(outputs=6, frames=16, joints=5, width=32).double().eval()
    for p in branch.parameters():
        torch.nn.init.normal_(p, std=0.2)
    x = torch.randn(2, 3, 16, 5, 2, dtype=torch.float64)
    people = []
    for person in (0, 1):
        position = x[..., person]
        y = torch.cat([stream(branch, position, 0), stream(branch, motion(position), 1)], 1)
        for name in ("conv5", "conv6"):
            layer = branch.stages[name][0]
            y = F.max_pool2d(F.relu(F.conv2d(y, layer.weight, layer.bias, padding=1)), 2)
        people.append(y)
    flat = torch.maximum(*people).flatten(1)
    layer = branch.stages["fc7"][1]
    features = F.relu(flat @ layer.weight.T + layer.bias)
    out = branch.finish(branch.begin(x))
    torch.testing.assert_close(out.features, features)
    torch.testing.assert_close(out.logits, features @ branch.head.weight.T + branch.head.bias)


def test_initial_weights_are_those_of_streams_apart() -> None:
    """Xavier's bound for one stream's conv4: sqrt(6 / (9 (32 + 64))), and zero biases."""
    layer = HCN(outputs=None).stages["conv4"][0]
    bound = (6 / (9 * (32 + 64))) ** 0.5
    assert 0.98 * bound < float(layer.weight.detach().abs().max()) <= bound
    assert float(layer.bias.detach().abs().max()) == 0


def test_dropout_takes_whole_channels_before_the_persons_meet() -> None:
    branch = HCN(outputs=None, frames=16, joints=5, width=32, dropout=0.5).train()
    torch.nn.init.constant_(branch.stages["conv4"][0].bias, 50.0)
    state = branch.advance(branch.begin(torch.randn(1, 3, 16, 5, 2)), "conv4")
    for tap in branch.taps(state):
        dropped = (tap == 0).flatten(2)
        assert torch.equal(dropped.all(2), dropped.any(2))
        assert 0 < int(dropped.all(2).sum()) < dropped.shape[1]


@pytest.mark.parametrize("sizes", [{"frames": 15}, {"width": 31}])
def test_sizes_that_four_poolings_use_up(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="16 frames or more and a width of 32 or more"):
        HCN(outputs=60, **sizes)


def test_skeletons_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"\(3, 32, 25, 2\), got shape \(1, 3, 20, 25, 2\)"):
        HCN(outputs=60).begin(torch.zeros(1, 3, 20, 25, 2))
