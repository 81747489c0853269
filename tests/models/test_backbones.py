"""Layer sizes of the paper's networks: parameters, tapped shapes, feature sizes."""

import pytest
import torch

from models.backbones import ActionUnitMLP, Branch, MFCCNet, ResNeXt3D


def shapes_by_stage(branch: Branch, x: torch.Tensor) -> dict[str, list[tuple[int, ...]]]:
    state, shapes = branch.begin(x), {}
    for stage in branch.stages:
        state = branch.advance(state, stage)
        shapes[stage] = [tuple(tap.shape[1:]) for tap in branch.taps(state)]
    return shapes


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_resnext50_at_the_papers_size() -> None:
    with torch.device("meta"):
        branch = ResNeXt3D(outputs=8)
        shapes = shapes_by_stage(branch, torch.empty(1, 3, 30, 224, 224))
    assert shapes == {
        "stem": [(64, 15, 56, 56)],
        "layer1": [(256, 15, 56, 56)],
        "layer2": [(512, 8, 28, 28)],
        "layer3": [(1024, 4, 14, 14)],
        "layer4": [(2048, 2, 7, 7)],
    }
    by_layer = {name: parameters(stage) for name, stage in branch.stages.items()}
    assert by_layer == {
        "stem": 65_856 + 128,
        "layer1": 233_472,
        "layer2": 1_344_512,
        "layer3": 7_907_328,
        "layer4": 16_314_368,
    }
    assert parameters(branch) == 25_882_056
    assert parameters(ResNeXt3D(outputs=None)) == 25_882_056 - 16_392


def test_mfcc_network_at_the_papers_size() -> None:
    branch = MFCCNet(outputs=8)
    assert shapes_by_stage(branch, torch.zeros(2, 13, 212)) == {
        "conv1": [(32, 210)],
        "conv2": [(32, 208)],
        "conv3": [(64, 26)],
    }
    assert parameters(branch) == 2_944 + 64 + 7_200 + 64 + 10_304 + 128 + 13_320 == 34_024
    assert branch.feature_size == 1664


def test_mfcc_taps_lie_behind_the_relu_and_behind_the_norm() -> None:
    """A wrong cut keeps every parameter count, so the order of the layers is tested as well."""
    kinds = {
        name: [type(layer).__name__ for layer in stage]
        for name, stage in MFCCNet(outputs=8).stages.items()
    }
    assert kinds == {
        "conv1": ["Conv1d", "ReLU", "BatchNorm1d"],
        "conv2": ["Conv1d", "ReLU"],
        "conv3": ["MaxPool1d", "BatchNorm1d", "Dropout", "Conv1d", "ReLU", "BatchNorm1d"],
    }


def test_action_units_have_no_spatial_axis() -> None:
    branch = ActionUnitMLP(outputs=8)
    assert shapes_by_stage(branch, torch.zeros(3, 35)) == {"hidden1": [(128,)], "hidden2": [(128,)]}
    assert parameters(branch) == 70 + (35 * 128 + 128) + (128 * 128 + 128) + (128 * 8 + 8)


def test_bottleneck_against_the_plain_formula() -> None:
    """One block by hand, with numpy-like operations only: grouped convolution, shortcut, ReLU."""
    torch.manual_seed(0)
    branch = ResNeXt3D(outputs=None, depths=(1, 1), width=4, cardinality=2).eval().double()
    block = branch.stages["layer2"][0]
    x = torch.randn(2, 16, 3, 4, 4, dtype=torch.float64)

    def norm(y: torch.Tensor, bn: torch.nn.BatchNorm3d) -> torch.Tensor:
        return y / (1 + bn.eps) ** 0.5  # fresh statistics: mean 0, variance 1, weight 1, bias 0

    y = norm(torch.einsum("oi,bithw->bothw", block.conv1.weight[:, :, 0, 0, 0], x), block.bn1)
    y = torch.nn.functional.pad(y.clamp(min=0), (1,) * 6)
    halves = []
    for group in range(2):
        weight = block.conv2.weight[8 * group : 8 * group + 8]
        part = y[:, 8 * group : 8 * group + 8]
        windows = part.unfold(2, 3, 2).unfold(3, 3, 2).unfold(4, 3, 2)
        halves.append(torch.einsum("oixyz,bithwxyz->bothw", weight, windows))
    y = norm(torch.cat(halves, 1), block.bn2).clamp(min=0)
    y = norm(torch.einsum("oi,bithw->bothw", block.conv3.weight[:, :, 0, 0, 0], y), block.bn3)
    short = torch.einsum(
        "oi,bithw->bothw", block.shortcut[0].weight[:, :, 0, 0, 0], x[:, :, ::2, ::2, ::2]
    )
    expected = (y + norm(short, block.shortcut[1])).clamp(min=0)
    torch.testing.assert_close(block(x), expected, rtol=1e-9, atol=1e-9)


def test_released_fusion_network_has_no_stem_relu() -> None:
    x = torch.zeros(1, 3, 4, 16, 16)
    lowest = {}
    for relu in (True, False):
        branch = ResNeXt3D(outputs=None, depths=(1,), width=4, cardinality=2, stem_relu=relu).eval()
        torch.nn.init.constant_(branch.stages["stem"][1].bias, -2.0)
        lowest[relu] = float(branch.taps(branch.advance(branch.begin(x), "stem"))[0].min())
    assert lowest == {True: 0.0, False: -2.0}


def test_stages_only_move_forward() -> None:
    branch = MFCCNet(outputs=8)
    state = branch.advance(branch.begin(torch.zeros(1, 13, 212)), "conv2")
    with pytest.raises(ValueError, match="'conv1' has already run"):
        branch.advance(state, "conv1")
    with pytest.raises(ValueError, match="no stage 'layer3'; its stages are conv1, conv2, conv3"):
        branch.advance(state, "layer3")


@pytest.mark.parametrize(
    "build",
    [
        lambda: ResNeXt3D(outputs=8, width=8),
        lambda: MFCCNet(outputs=8, frames=11),
    ],
)
def test_sizes_that_cannot_work_are_refused(build: object) -> None:
    with pytest.raises(ValueError, match=r"width 8|11 MFCC"):
        build()  # type: ignore[operator]
