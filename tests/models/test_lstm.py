"""The LSTM branch: sizes of the paper, and its steps against LSTMs called by hand."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from models import StagedNetwork
from models.backbones import LSTMBranch
from models.fusions import RegressionHead
from msaf import MSAF
from tests.models.fakes import points


def reference(branch: LSTMBranch, stage: str) -> nn.LSTM:
    """A plain batch-first LSTM with the weights of a stage."""
    own = branch.stages[stage]
    plain = nn.LSTM(own.input_size, own.hidden_size, batch_first=True).to(own.weight_ih_l0.dtype)
    plain.load_state_dict(own.state_dict())
    return plain


def steps_by_hand(lstm: nn.LSTM, x: Tensor) -> Tensor:
    """The gates' equations, step by step: `(B, T, C)` to `(B, T, H)`."""
    hidden = cell = torch.zeros(len(x), lstm.hidden_size, dtype=x.dtype)
    states = []
    for step in x.unbind(1):
        gates = step @ lstm.weight_ih_l0.T + lstm.bias_ih_l0
        gates = gates + hidden @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
        enter, forget, new, leave = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        states.append(hidden)
    return torch.stack(states, 1)


@pytest.mark.parametrize(
    ("features", "hidden", "count"), [(35, 32, 17_313), (74, 64, 69_185), (768, 128, 592_001)]
)
def test_the_papers_sizes(features: int, hidden: int, count: int) -> None:
    branch = LSTMBranch(outputs=1, features=features, hidden=hidden)
    assert sum(p.numel() for p in branch.parameters()) == count
    state = branch.begin(torch.zeros(2, features, 50))
    for stage in ("lstm1", "lstm2"):
        state = branch.advance(state, stage)
        assert [tuple(tap.shape) for tap in branch.taps(state)] == [(2, hidden, 50)]
    assert branch.finish(state).features.shape == (2, hidden)


def test_the_walk_is_two_lstms_and_the_last_step() -> None:
    torch.manual_seed(0)
    branch = LSTMBranch(outputs=1, features=5, hidden=4).double()
    x = torch.randn(3, 5, 7, dtype=torch.float64)
    first, _ = reference(branch, "lstm1")(x.transpose(1, 2))  # (B, T, H)
    tapped = branch.advance(branch.begin(x), "lstm1")
    torch.testing.assert_close(branch.taps(tapped)[0], first.transpose(1, 2))
    second, (last, _) = reference(branch, "lstm2")(first)
    out = branch.finish(tapped)
    torch.testing.assert_close(out.features, second[:, -1])
    torch.testing.assert_close(out.features, last[0])
    torch.testing.assert_close(out.logits, second[:, -1] @ branch.head.weight.T + branch.head.bias)
    torch.testing.assert_close(first, steps_by_hand(reference(branch, "lstm1"), x.transpose(1, 2)))


def test_what_is_put_back_is_what_the_second_layer_reads() -> None:
    torch.manual_seed(0)
    branch = LSTMBranch(outputs=None, features=5, hidden=4)
    state = branch.advance(branch.begin(torch.randn(3, 5, 7)), "lstm1")
    halved = branch.put(state, [0.5 * branch.taps(state)[0]])
    expected, _ = reference(branch, "lstm2")(0.5 * state.values[0].transpose(1, 2))
    torch.testing.assert_close(branch.finish(halved).features, expected[:, -1])


@pytest.mark.parametrize("shape", [(2, 7, 5), (2, 5), (2, 4, 7)])
def test_another_number_of_features_is_named(shape: tuple[int, ...]) -> None:
    branch = LSTMBranch(outputs=None, features=5, hidden=4)
    with pytest.raises(ValueError, match=r"expected sequences \(B, 5, T\), got .*`features`"):
        branch.finish(branch.begin(torch.zeros(shape)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": 0}, "1 or more, got 0, 4"),
        ({"hidden": 0}, "1 or more, got 5, 0"),
        ({"padding": "both"}, "padding is one of"),
    ],
)
def test_sizes_that_cannot_work_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LSTMBranch(outputs=1, **{"features": 5, "hidden": 4} | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("padding", "expected"),
    [("left", ["..xx", "xxxx", "...x"]), ("right", ["xx..", "xxxx", "x..."])],
)
def test_valid_steps_lie_at_the_other_end_of_the_padding(padding: str, expected: list[str]) -> None:
    branch = LSTMBranch(outputs=None, features=5, hidden=4, padding=padding)  # type: ignore[arg-type]
    x = torch.zeros(3, 5, 4)
    found = branch.valid_steps(x, torch.tensor([2, 4, 1]))
    assert found is not None
    assert ["".join("x" if step else "." for step in row) for row in found] == expected
    assert branch.valid_steps(x, None) is None


def test_the_network_masks_the_join_by_the_lengths_of_the_batch() -> None:
    def build(join_mean: str) -> StagedNetwork:
        torch.manual_seed(0)
        return StagedNetwork.build(
            {
                "a": partial(LSTMBranch, features=3, hidden=4, padding="left"),
                "b": partial(LSTMBranch, features=2, hidden=6, padding="right"),
            },
            outputs=1,
            readout=RegressionHead,
            points=points(
                partial(MSAF, block_channels=2, reduction=1, join_mean=join_mean),
                {"a": "lstm1", "b": "lstm1"},
            ),
        ).eval()

    batch = {"a": torch.randn(2, 3, 5), "b": torch.randn(2, 2, 5)}
    lengths = {"a_length": torch.tensor([2, 5]), "b_length": torch.tensor([5, 3])}
    network = build("masked")
    a, b = network.branches["a"], network.branches["b"]
    taps = [x.stages["lstm1"](batch[name]) for name, x in (("a", a), ("b", b))]
    masks = [
        torch.tensor([[0, 0, 0, 1, 1], [1, 1, 1, 1, 1]]).bool(),
        torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool(),
    ]
    fused = network.points[0].fusion(taps, masks)
    last = [x.stages["lstm2"](y)[:, :, -1] for x, y in zip((a, b), fused, strict=True)]
    expected = network.readout.layers(torch.cat(last, 1))
    torch.testing.assert_close(network({**batch, **lengths}).scores, expected)
    plain = build("all")
    torch.testing.assert_close(network(batch).scores, plain(batch).scores)
    torch.testing.assert_close(plain({**batch, **lengths}).scores, plain(batch).scores)
    assert not torch.allclose(expected, plain(batch).scores)
