"""The walk from fusion point to fusion point, on branches small enough to follow by hand."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from models import StagedNetwork
from models.backbones import BranchOutput, MFCCNet, ResNeXt3D
from models.contracts import Prediction
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


class Ends(SumLogits):
    """Keeps the outputs of the branches that it is given."""

    seen: ClassVar[list[dict[str, BranchOutput]]] = []

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        Ends.seen.append(dict(branches))
        return super().forward(branches)


def many(size: int) -> dict[str, Tensor]:
    return {"one": torch.randn(size, 2, 7), "two": torch.randn(size, 2, 3)}


def test_modality_dropout_takes_one_modality_of_a_sample_everywhere() -> None:
    Spy.seen, Ends.seen = [], []
    net = network(points=points(Spy, *POINTS), readout=Ends, modality_dropout=1.0).train()
    prediction = net(many(64))
    (ends,) = Ends.seen
    gone = {name: (end.features == 0).all(1) for name, end in ends.items()}
    assert torch.equal(gone["one"], ~gone["two"])  # each sample loses one of both, never all
    assert 0 < int(gone["one"].sum()) < 64
    for _, (one, first, second) in Spy.seen:  # the same one at both points, both persons of it
        for x, lost in ((one, gone["one"]), (first, gone["two"]), (second, gone["two"])):
            assert torch.equal((x.flatten(1) == 0).all(1), lost)
    for name, end in ends.items():
        assert end.logits is not None
        assert torch.equal((end.logits == 0).all(1), gone[name])
    left = torch.where(gone["one"].unsqueeze(1), ends["two"].logits, ends["one"].logits)
    assert torch.equal(prediction.scores, left)


def test_the_share_of_samples_that_lose_a_modality() -> None:
    """1,000 of 4,000 at a quarter: five standard deviations are 137; half of them each one's."""
    Ends.seen = []
    network(readout=Ends, modality_dropout=0.25).train()(many(4000))
    (ends,) = Ends.seen
    counts = {name: int((end.features == 0).all(1).sum()) for name, end in ends.items()}
    assert abs(sum(counts.values()) - 1000) < 137
    assert abs(counts["one"] - 500) < 106


def test_modality_dropout_draws_nothing_in_evaluation_and_where_it_is_off() -> None:
    data, plain = batch(), network().eval()(batch()).scores
    assert torch.equal(network(modality_dropout=1.0).eval()(data).scores, plain)
    before = torch.get_rng_state()
    assert torch.equal(network().train()(data).scores, plain)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_lost_modality_gets_no_gradient() -> None:
    torch.manual_seed(3)
    net, data = network(modality_dropout=1.0).train(), many(1)
    inputs = {name: x.requires_grad_() for name, x in data.items()}
    net(inputs).scores.sum().backward()
    moved = [float(x.grad.abs().sum()) > 0 for x in inputs.values() if x.grad is not None]
    assert sorted(moved) == [False, True]


@pytest.mark.parametrize(("share", "branches"), [(1.5, None), (-0.1, None), (0.5, {"one": OneTap})])
def test_modality_dropout_that_is_refused(share: float, branches: Any) -> None:
    chosen = {"branches": branches} if branches else {}
    with pytest.raises(ValueError, match=r"modality_dropout in \[0, 1\], and 0 with a single"):
        network(modality_dropout=share, **chosen)
