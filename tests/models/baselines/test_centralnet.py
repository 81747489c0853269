"""CentralNet: the published sizes, its arithmetic, and branches that stay as they are."""

from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.runs.complexity import count_parameters
from experiments.runs.compose import build, check
from experiments.runs.folder import RunError
from models.backbones import HCN, InflatedResNet
from models.baselines import CentralNet
from models.tasks import Classification
from tests.models.fusions.helpers import compose

BRANCHES = {
    "video": partial(InflatedResNet, depths=(1, 1, 1, 1), width=4),
    "skeleton": partial(HCN, frames=16, joints=5, width=32),
}


def network(**settings: Any) -> CentralNet:
    torch.manual_seed(0)
    return CentralNet(
        **{
            "branches": BRANCHES,
            "outputs": 6,
            "video_stages": ["layer2", "layer3"],
            "skeleton_stages": ["conv2", "conv3"],
        }
        | settings,
    )


def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "video": torch.randn(2, 3, 4, 32, 32, generator=generator),
        "skeleton": torch.randn(2, 3, 16, 5, 2, generator=generator),
        "label": torch.tensor([0, 3]),
    }


def test_the_published_size() -> None:
    """Kernels of 4x4 from 512 over 1024 to 2048 channels, 2048 to 60, and eight scalars."""
    words = ["task=ntu", "fusion=centralnet", "rgb=inflated_resnet50", "protocol=released"]
    cfg = compose(*words, "data=full", "data.root=x")
    assert (cfg.datamodule.video.size, cfg.datamodule.video.crop) == (256, 1.0)
    with torch.device("meta"):
        net = build(cfg.network)
        inputs = {"video": torch.empty(1, 3, 8, 256, 256), "skeleton": torch.empty(1, 3, 32, 25, 2)}
        levels = net._levels(inputs)
        assert net(inputs).scores.shape == (1, 60)
    # The sizes meet without pooling at 256x256: 512 channels of 32x32 beside 25, 1024 beside 32.
    assert [[tuple(x.shape[1:]) for x in level] for level in levels] == [
        [(512, 32, 32), (25, 32, 32)],
        [(1024, 16, 16), (32, 16, 16)],
        [(2048,), (512,)],
    ]
    assert net.widths == [512, 1024, 2048]
    first, second = 512 * 1024 * 16 + 3 * 1024, 1024 * 2048 * 16 + 3 * 2048
    central = first + second + 2048 * 60 + 60 + 8
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == central
    branches_without_heads = 46_265_468 - 122_940 + 1_062_652 - 30_780
    assert count_parameters(net)["total"] == central + branches_without_heads


def test_the_sums_by_hand() -> None:
    net = network().double().eval()
    data = {k: v.double() if v.is_floating_point() else v for k, v in batch().items()}
    video, skeleton = net.branches["video"], net.branches["skeleton"]
    state, person = video.begin(data["video"]), skeleton.begin(data["skeleton"])
    central = None
    for level, (stage, joints) in enumerate([("layer2", "conv2"), ("layer3", "conv3")]):
        state, person = video.advance(state, stage), skeleton.advance(person, joints)
        half = person.values[0].shape[1] // 2
        grid = torch.maximum(person.values[0][:, :half], person.values[1][:, :half])
        frame = F.adaptive_avg_pool2d(state.values[0].mean(2), grid.shape[2:])
        joint = frame * net.weights[level, 0].sigmoid()
        joint[:, :half] += grid * net.weights[level, 1].sigmoid()
        if central is not None:
            joint += central * net.central_weights[level - 1].sigmoid()
        convolution, norm, _ = net.convolutions[level]
        y = F.conv2d(joint, convolution.weight, convolution.bias, stride=2, padding=1)
        central = (y / (1 + norm.eps) ** 0.5).clamp(min=0)
    ends = [video.finish(state).features, skeleton.finish(person).features]
    joint = torch.zeros(2, 256, dtype=torch.float64)  # fc7 is wider than this small layer4
    joint[:, :128] += ends[0] * net.weights[2, 0].sigmoid()
    joint += ends[1] * net.weights[2, 1].sigmoid()
    joint += central.mean((2, 3)) * net.central_weights[1].sigmoid()
    expected = joint @ net.head.weight.T + net.head.bias
    prediction = net(data)
    torch.testing.assert_close(prediction.scores, expected)
    picked = expected.log_softmax(1)[[0, 1], data["label"]]
    torch.testing.assert_close(
        net.loss(prediction, data, Classification.criterion)["total"], -picked.mean()
    )


def test_frozen_branches_learn_nothing_and_keep_their_statistics() -> None:
    net = network().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        net.loss(net(batch()), batch(), Classification.criterion)["total"].backward()
        optimizer.step()
    assert not any(module.training for module in net.branches.modules())
    changed = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    assert {name.split(".")[0] for name in changed} == {
        "weights", "central_weights", "convolutions", "head"
    }  # fmt: skip


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a branch of each, found video"):
        network(branches={"video": BRANCHES["video"]})
    with pytest.raises(ValueError, match="no stage 'layer9'"):
        network(video_stages=["layer2", "layer9"])
    with pytest.raises(RunError, match=r"fusion=centralnet keeps its branches.*init=unimodal"):
        check(compose("task=ntu", "fusion=centralnet", "init=scratch"))
