"""MFAS: the published architectures' sizes, their arithmetic, and both phases of training."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from experiments.runs.compose import build
from models.backbones import HCN, InflatedResNet
from models.baselines import MFAS
from models.tasks import Classification
from tests.models.fusions.helpers import compose, count

BRANCHES = {
    "video": partial(InflatedResNet, depths=(1, 1, 1, 1), width=4),
    "skeleton": partial(HCN, frames=16, joints=5, width=32),
}
PAPER = [(3, 0, "relu"), (1, 3, "relu"), (1, 1, "sigmoid"), (3, 3, "relu")]
UNUSED = 4  # scalars of the published network that nothing reads


def network(**settings: Any) -> MFAS:
    torch.manual_seed(0)
    return MFAS(
        BRANCHES,
        **{
            "outputs": 6,
            "video_stages": ["layer2", "layer3", "layer4"],
            "layers": PAPER,
            "width": 8,
        }
        | settings,
    )


def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "video": torch.randn(3, 3, 4, 32, 32, generator=generator),
        "skeleton": torch.randn(3, 3, 16, 5, 2, generator=generator),
        "label": torch.tensor([0, 3, 5]),
    }


@pytest.mark.parametrize(
    ("words", "fusion", "total"),
    [
        ([], 2_032_640, 49_376_184),
        (
            [
                "fusion.network.width=128",
                "fusion.network.norm=true",
                "fusion.network.layers=[[3,1,sigmoid],[1,3,relu],[1,1,sigmoid],[3,3,relu]]",
            ],
            1_033_728,
            48_369_592,
        ),
    ],
)
def test_the_published_sizes(words: list[str], fusion: int, total: int) -> None:
    cfg = compose("task=ntu", "fusion=mfas", "rgb=inflated_resnet50", "data=full", "data.root=x",
                  *words)  # fmt: skip
    with torch.device("meta"):
        net = build(cfg.network)
        inputs = {name: torch.empty(2, *cfg.task.shapes[name]) for name in cfg.modalities}
        assert net(inputs).scores.shape == (2, 60)
    assert count(net.layers) == fusion
    assert count(net) == total - UNUSED


def test_the_inputs_of_each_layer() -> None:
    cfg = compose("task=ntu", "fusion=mfas", "rgb=inflated_resnet50", "data=full", "data.root=x")
    with torch.device("meta"):
        net = build(cfg.network)
    assert [layer[0].in_features for layer in net.layers] == [1024, 2560, 1536, 2816]


def test_the_layers_by_hand() -> None:
    choices = [(0, 1, "sigmoid"), (2, 3, "relu"), (1, 2, "relu"), (3, 0, "sigmoid")]
    net = network(layers=choices).double().eval()
    data = {k: v.double() if v.is_floating_point() else v for k, v in batch().items()}
    skeleton, video = net.branches["skeleton"], net.branches["video"]
    state = skeleton.advance(skeleton.begin(data["skeleton"]), "conv5")
    conv5 = torch.maximum(*state.values).mean((2, 3))
    state = skeleton.advance(state, "conv6")
    end = skeleton.finish(state)
    joints = [conv5, state.values[0].mean((2, 3)), state.values[0].flatten(1), end.features]
    frames, at = [], video.begin(data["video"])
    for stage in ("layer2", "layer3", "layer4"):
        at = video.advance(at, stage)
        frames.append(at.values[0].mean((2, 3, 4)))
    ends = {"skeleton": end, "video": video.finish(at)}
    frames.append(ends["video"].features)
    h = torch.zeros(3, 0, dtype=torch.float64)
    for (first, second, activation), layer in zip(choices, net.layers, strict=True):
        x = torch.cat([joints[first], frames[second], h], 1)
        h = getattr(torch, activation)(x @ layer[0].weight.T + layer[0].bias)
    logits = {name: out.logits for name, out in ends.items()}
    logits["fusion"] = h @ net.head.weight.T + net.head.bias
    prediction = net(data)
    for name, expected in logits.items():
        torch.testing.assert_close(prediction.parts[name], expected)
    torch.testing.assert_close(prediction.scores, sum(logits.values()))
    losses = net.loss(prediction, data, Classification.criterion)
    rows = torch.arange(3)
    by_hand = {k: -v.log_softmax(1)[rows, data["label"]].mean() for k, v in logits.items()}
    for name, expected in by_hand.items():
        torch.testing.assert_close(losses[f"{name}_loss"], expected)
    torch.testing.assert_close(losses["total"], sum(by_hand.values()))


def stepped(net: MFAS, phase: str) -> set[str]:
    """Return the parts that a step of a phase changes, statistics of norms included."""
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1, weight_decay=0.1)
    net.enter(phase)
    net.loss(net(batch()), batch(), Classification.criterion)["total"].backward()
    optimizer.step()
    changed = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    return {".".join(n.split(".")[:2]) if n.startswith("b") else n.split(".")[0] for n in changed}


def test_the_first_phase_trains_the_fusion_alone_and_the_second_everything() -> None:
    net = network().train()
    assert stepped(net, "central") == {"layers", "head"}
    assert stepped(net, "all") == {"layers", "head", "branches.video", "branches.skeleton"}


def test_evaluation_stays_evaluation_in_every_phase() -> None:
    net = network().eval()
    for phase in ("central", "all"):
        net.enter(phase)
        assert not any(module.training for module in net.modules())


@pytest.mark.parametrize("layer", [(4, 0, "relu"), (0, 4, "relu"), (0, -1, "relu"), (0, 0, "tanh")])
def test_layers_that_there_are_not(layer: tuple[int, int, str]) -> None:
    with pytest.raises(
        ValueError, match=r"skeleton feature below 4, a video feature below 4.*relu"
    ):
        network(layers=[layer])


def test_the_two_phases_of_its_training() -> None:
    training = compose("task=ntu", "fusion=mfas", "data=full", "data.root=x").training
    assert build(training).ends == {"central": 1, "all": 71}
