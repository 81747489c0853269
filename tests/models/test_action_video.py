"""I3D and Inflated ResNet50: the paper's sizes, the ends of both, and published weights."""

import re

import pytest
import torch
import torchvision
from torch import Tensor

from models.backbones import HCN, I3D, InflatedResNet
from tests.models.test_backbones import parameters, shapes_by_stage


def test_i3d_at_the_papers_size() -> None:
    with torch.device("meta"):
        branch = I3D(outputs=60)
        shapes = shapes_by_stage(branch, torch.empty(1, 3, 32, 224, 224))
    assert shapes == {
        "Conv3d_1a_7x7": [(64, 16, 112, 112)],
        "Conv3d_2b_1x1": [(64, 16, 56, 56)],
        "Conv3d_2c_3x3": [(192, 16, 56, 56)],
        "Mixed_3b": [(256, 16, 28, 28)],
        "Mixed_3c": [(480, 16, 28, 28)],
        "Mixed_4b": [(512, 8, 14, 14)],
        "Mixed_4c": [(512, 8, 14, 14)],
        "Mixed_4d": [(512, 8, 14, 14)],
        "Mixed_4e": [(528, 8, 14, 14)],
        "Mixed_4f": [(832, 8, 14, 14)],
        "Mixed_5b": [(832, 4, 7, 7)],
        "Mixed_5c": [(1024, 4, 7, 7)],
    }
    assert {name: list(c) for name, c in branch.channels.items()} == {
        name: [shape[0] for shape in taps] for name, taps in shapes.items()
    }
    assert parameters(branch) == 12_348_764
    assert parameters(branch.head) == 61_500


def test_inflated_resnet50_at_the_papers_size() -> None:
    with torch.device("meta"):
        branch = InflatedResNet(outputs=60)
        shapes = shapes_by_stage(branch, torch.empty(1, 3, 8, 224, 224))
    assert shapes == {
        "stem": [(64, 8, 56, 56)],
        "layer1": [(256, 8, 56, 56)],
        "layer2": [(512, 8, 28, 28)],
        "layer3": [(1024, 8, 14, 14)],
        "layer4": [(2048, 8, 7, 7)],
    }
    assert parameters(branch) == 46_265_468


def test_the_end_of_i3d_is_no_plain_mean() -> None:
    """Four steps in windows of two: weights 1/6, 1/3, 1/3, 1/6; logits by step, then their mean."""
    torch.manual_seed(0)
    branch = I3D(outputs=7, width=8).double().eval()
    x = torch.randn(2, 128, 4, 7, 7, dtype=torch.float64)
    steps = x.mean((3, 4))
    windows = [(steps[:, :, t] + steps[:, :, t + 1]) / 2 for t in range(3)]
    logits = [w @ branch.head.weight.T + branch.head.bias for w in windows]
    features = branch.summarise([x])
    torch.testing.assert_close(branch.head(features), sum(logits) / 3)
    weighted = (steps * torch.tensor([1, 2, 2, 1]) / 6).sum(2)
    torch.testing.assert_close(features, weighted)
    assert not torch.allclose(features, x.mean((2, 3, 4)))


@pytest.mark.parametrize(("frames", "side", "end"), [(8, 40, (1, 1, 1)), (16, 64, (2, 2, 2))])
def test_small_clips_use_what_window_there_is(frames: int, side: int, end: tuple[int, ...]) -> None:
    branch = I3D(outputs=4, width=8).eval()
    state = branch.advance(branch.begin(torch.randn(1, 3, frames, side, side)), "Mixed_5c")
    (last,) = branch.taps(state)
    assert tuple(last.shape[2:]) == end
    torch.testing.assert_close(branch.summarise([last]), last.mean((2, 3, 4)))


def test_a_module_of_inception_by_hand() -> None:
    """Four branches side by side: 1x1x1; 1x1x1 and 3x3x3, twice; pool and 1x1x1."""
    torch.manual_seed(0)
    branch = I3D(outputs=None, width=8).double().eval()
    module = branch.stages["Mixed_3c"][0]
    x = torch.randn(1, 32, 3, 5, 5, dtype=torch.float64)

    def unit(y: Tensor, layer: torch.nn.Module) -> Tensor:
        weight = layer.conv3d.weight
        reach = weight.shape[-1] // 2
        windows = torch.nn.functional.pad(y, (reach,) * 6)
        for axis in (2, 3, 4):
            windows = windows.unfold(axis, weight.shape[-1], 1)
        y = torch.einsum("oixyz,bithwxyz->bothw", weight, windows)
        return (y / (1 + 1e-3) ** 0.5).clamp(min=0)  # fresh statistics, eps 1e-3

    largest = torch.nn.functional.pad(x, (1,) * 6, value=-torch.inf)
    for axis in (2, 3, 4):
        largest = largest.unfold(axis, 3, 1).amax(-1)
    expected = [
        unit(x, module.b0),
        unit(unit(x, module.b1a), module.b1b),
        unit(unit(x, module.b2a), module.b2b),
        unit(largest, module.b3b),
    ]
    assert [part.shape[1] for part in expected] == [16, 24, 12, 8]
    torch.testing.assert_close(module(x), torch.cat(expected, 1))


def test_norms_of_i3d() -> None:
    norms = [m for m in I3D(outputs=None, width=8).modules() if isinstance(m, torch.nn.BatchNorm3d)]
    assert len(norms) == 3 + 9 * 6
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, 0.001)}


def test_i3d_takes_the_names_of_its_published_file() -> None:
    """A file as it is published: layers without our prefixes, a convolution for 400 logits."""
    source = I3D(outputs=400, width=8)
    published = {
        re.sub(r"^stages\.(\w+)\.\d\.", r"\1.", name): value
        for name, value in source.state_dict().items()
        if not name.startswith("head.")
    }
    assert "Mixed_4b.b1a.bn.running_var" in published
    assert "Conv3d_1a_7x7.conv3d.weight" in published
    published["logits.conv3d.weight"] = source.head.weight.detach()[..., None, None, None]
    published["logits.conv3d.bias"] = source.head.bias.detach()
    converted = I3D(outputs=60, width=8).convert(published)
    assert converted.keys() == source.state_dict().keys()
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in converted.items())
    assert I3D(outputs=60, width=8).convert({"fc.weight": torch.zeros(1)}).keys() == {"fc.weight"}


def test_inflated_weights_see_each_frame_as_the_image_network() -> None:
    torch.manual_seed(0)
    image = torchvision.models.ResNet(
        torchvision.models.resnet.Bottleneck, [2, 1, 1, 1], num_classes=5
    ).eval()
    video = InflatedResNet(outputs=5, depths=(2, 1, 1, 1)).eval()
    video.load_state_dict(video.convert(image.state_dict()))
    clip = torch.randn(2, 3, 3, 64, 64)
    by_frame = torch.stack([image(clip[:, :, t]) for t in range(3)]).mean(0)
    logits = video.finish(video.begin(clip)).logits
    torch.testing.assert_close(logits, by_frame, rtol=1e-4, atol=1e-4)


def test_networks_without_published_weights_say_so() -> None:
    with pytest.raises(ValueError, match="HCN has no published weights"):
        HCN(outputs=60).convert({})


def test_widths_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="multiple of 8, got 12"):
        I3D(outputs=60, width=12)
