"""The walk from fusion point to fusion point, on branches small enough to follow by hand."""

from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from models import StagedNetwork
from models.backbones import MFCCNet, ResNeXt3D
from models.fusions import MeanLogits, SumLogits
from models.tasks import Classification
from msaf import MSAF
from tests.models.fakes import OneTap, TwoTaps, points

POINTS = [{"one": "a", "two": "p"}, {"one": "b", "two": "q"}]


class Spy(nn.Module):
    """Keeps what it is given, and adds one to every feature."""

    takes_masks = False
    seen: ClassVar[list[tuple[list[int], list[Tensor]]]] = []

    def __init__(self, in_channels: list[int], amount: float = 1.0) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.amount = amount

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        Spy.seen.append((self.in_channels, features))
        return [feature + self.amount for feature in features]


def network(**kwargs: Any) -> StagedNetwork:
    torch.manual_seed(0)
    branches = {"one": OneTap, "two": TwoTaps}
    settings: dict[str, Any] = {"branches": branches, "outputs": 3, "readout": SumLogits}
    return StagedNetwork.build(**settings | kwargs)


def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "one": torch.randn(4, 2, 7, generator=generator),
        "two": torch.randn(4, 2, 3, generator=generator),
        "label": torch.tensor([0, 1, 2, 0]),
    }


def test_taps_are_flattened_in_the_order_of_the_config_and_put_back() -> None:
    Spy.seen = []
    net = network(points=points(Spy, *POINTS))
    net(batch())
    assert [channels for channels, _ in Spy.seen] == [[4, 5, 5], [6, 4, 4]]
    assert [[tuple(f.shape) for f in features] for _, features in Spy.seen] == [
        [(4, 4, 7), (4, 5), (4, 5)],
        [(4, 6, 7), (4, 4), (4, 4)],
    ]
    Spy.seen = []
    network(branches={"two": TwoTaps, "one": OneTap}, points=points(Spy, *POINTS))(batch())
    assert [channels for channels, _ in Spy.seen] == [[5, 5, 4], [4, 4, 6]]


def test_the_whole_walk_by_hand() -> None:
    amounts = [*points(Spy, POINTS[0]), *points(partial(Spy, amount=2.0), POINTS[1])]
    net = network(points=amounts).double()
    data = {k: v.double() if v.is_floating_point() else v for k, v in batch().items()}
    one, two = net.branches["one"], net.branches["two"]
    x = one.stages["b"](one.stages["a"](data["one"]) + 1) + 2
    p, q = (two.stages["q"](two.stages["p"](data["two"][:, i]) + 1) + 2 for i in (0, 1))
    logits_one = x.mean(2) @ one.head.weight.T + one.head.bias
    logits_two = torch.maximum(p, q) @ two.head.weight.T + two.head.bias
    prediction = net(data)
    torch.testing.assert_close(prediction.scores, logits_one + logits_two)
    torch.testing.assert_close(prediction.parts["one"], logits_one)
    log_p = (logits_one + logits_two).log_softmax(1)
    expected = -sum(log_p[i, label] for i, label in enumerate(data["label"].tolist())) / 4
    torch.testing.assert_close(
        net.loss(prediction, data, Classification.criterion)["total"], expected
    )
    mean = network(points=amounts, readout=MeanLogits).double()
    torch.testing.assert_close(mean(data).scores, prediction.scores / 2)


def test_joined_taps_are_one_feature_for_the_fusion_and_two_for_the_branch() -> None:
    Spy.seen = []
    met = points(Spy, POINTS[0], join="channels")
    joined = network(points=met)
    apart = network(points=points(Spy, POINTS[0]))
    torch.testing.assert_close(joined(batch()).scores, apart(batch()).scores)
    (channels, features), _ = Spy.seen
    assert channels == [4, 10]
    assert features[1].shape == (4, 10)


def test_the_first_tap_alone_is_exchanged_and_the_second_person_goes_on_unchanged() -> None:
    Spy.seen = []
    met = points(Spy, POINTS[0], only="first")
    net = network(points=met).double()
    data = {k: v.double() if v.is_floating_point() else v for k, v in batch().items()}
    parts = net(data).parts
    ((channels, features),) = Spy.seen
    assert channels == [4, 5]
    assert [tuple(f.shape) for f in features] == [(4, 4, 7), (4, 5)]
    two = net.branches["two"]
    p, q = (two.stages["p"](data["two"][:, i]) for i in (0, 1))
    merged = torch.maximum(two.stages["q"](p + 1), two.stages["q"](q))
    torch.testing.assert_close(parts["two"], merged @ two.head.weight.T + two.head.bias)


def test_a_branch_that_goes_on_unchanged_is_still_seen() -> None:
    Spy.seen = []
    met = points(Spy, POINTS[0], unchanged="one")
    net = network(points=met)
    parts = net(batch()).parts
    assert [channels for channels, _ in Spy.seen] == [[4, 5, 5]]
    alone = network(branches={"one": OneTap})
    alone.branches["one"].load_state_dict(net.branches["one"].state_dict())
    torch.testing.assert_close(parts["one"], alone(batch()).parts["one"])
    both = network(points=points(Spy, POINTS[0]))
    torch.testing.assert_close(parts["two"], both(batch()).parts["two"])
    assert not torch.allclose(parts["one"], both(batch()).parts["one"])


def test_heads_are_built_only_for_readouts_that_use_logits() -> None:
    class OnFeatures(SumLogits):
        uses = "features"

    assert network(readout=OnFeatures).branches["one"].head is None
    assert network(readout=partial(OnFeatures)).branches["two"].head is None
    assert network(readout=OnFeatures, all_heads=True).branches["one"].head is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"branches": {}}, "at least one branch"),
        ({"points": points(Spy, {"one": "z", "two": "p"})}, "has no stage 'z'"),
        ({"points": points(Spy, POINTS[0], join="time")}, "join: time"),
        ({"points": points(Spy, POINTS[0], only="last")}, "only: last"),
        ({"points": points(Spy, POINTS[0], unchanged="six")}, "unchanged: six"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**settings)


def test_msaf_network_of_the_paper() -> None:
    """25.94M in Table 1: 25,882,056 + 34,024 + 5,356 + 19,288; and the totals of Table 4."""
    branches = {"video": ResNeXt3D, "audio": MFCCNet}
    stages = [{"video": "layer3", "audio": "conv2"}, {"video": "layer4", "audio": "conv3"}]

    def total(*block_channels: int) -> int:
        with torch.device("meta"):
            net = StagedNetwork.build(
                branches,
                outputs=8,
                readout=SumLogits,
                points=[
                    {"stages": where, "fusion": partial(MSAF, block_channels=c)}
                    for where, c in zip(stages, block_channels, strict=True)
                ],
            )
        return sum(p.numel() for p in net.parameters())

    assert total(16, 32) == 25_940_724
    assert total(8, 16) == 25_929_906
    assert total(32, 64) == 25_962_840
