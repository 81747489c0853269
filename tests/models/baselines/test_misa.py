"""Its losses in numpy, and its recurrence against packed sequences."""

from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.baselines import MISA
from models.baselines.misa import central_moment_discrepancy, difference
from models.baselines.sequences import read_steps
from models.baselines.two_way_lstm import TwoWayLSTM
from models.tasks import Regression
from tests.models.baselines.toy import batch, build

NAMES = ("visual", "audio", "text")


def naive_moments(x: np.ndarray, y: np.ndarray) -> float:
    total = np.sqrt(((x.mean(0) - y.mean(0)) ** 2).sum())
    for k in range(2, 6):
        a, b = ((z - z.mean(0)) ** k for z in (x, y))
        total += np.sqrt(((a.mean(0) - b.mean(0)) ** 2).sum())
    return float(total)


def naive_difference(x: np.ndarray, y: np.ndarray) -> float:
    rows = []
    for z in (x, y):
        centered = z - z.mean(0)
        rows.append(np.stack([row / np.sqrt((row**2).sum()) for row in centered]))
    products = [[(rows[0][:, i] * rows[1][:, j]).sum() ** 2 for j in range(y.shape[1])]
                for i in range(x.shape[1])]  # fmt: skip
    return float(np.mean(products))


def test_similarity_and_difference_in_numpy() -> None:
    x, y = torch.rand(6, 4, dtype=torch.float64), torch.rand(6, 4, dtype=torch.float64)
    found = central_moment_discrepancy(x, y)
    np.testing.assert_allclose(float(found), naive_moments(x.numpy(), y.numpy()))
    assert float(central_moment_discrepancy(x, x)) == 0.0
    found = difference(x, y)
    np.testing.assert_allclose(float(found), naive_difference(x.numpy(), y.numpy()))


def naive_slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of the difference, by x: the lengths of the rows are numbers, as in the authors' code."""
    centered = [z - z.mean(0) for z in (x, y)]
    lengths = [np.sqrt((z**2).sum(1, keepdims=True)) for z in centered]
    a, b = (z / length for z, length in zip(centered, lengths, strict=True))
    by_row = 2 * b @ (a.T @ b).T / (x.shape[1] * y.shape[1]) / lengths[0]
    return by_row - by_row.mean(0)  # through the mean that was taken off


def test_the_lengths_of_the_rows_are_constants_to_the_gradient() -> None:
    torch.manual_seed(2)
    x = torch.rand(6, 4, dtype=torch.float64, requires_grad=True)
    y = torch.rand(6, 3, dtype=torch.float64, requires_grad=True)
    difference(x, y).backward()
    assert x.grad is not None and y.grad is not None
    plain = [z.detach().numpy() for z in (x, y)]
    np.testing.assert_allclose(x.grad, naive_slope(*plain), atol=1e-12)
    np.testing.assert_allclose(y.grad, naive_slope(*plain[::-1]), atol=1e-12)


def test_the_slope_of_the_difference_by_hand() -> None:
    """Rows (3, 4) and (-3, -4) of length 5, y's (1,) and (-1,): P = 2 * (0.6, 0.8).

    The slope by row 1 of the codes is 2 * P / 2 / 5 = (0.24, 0.32), and its mean over rows is 0.
    With the lengths in the gradient it would be zero: a longer row of the same direction is no
    other row.
    """
    x = torch.tensor([[3.0, 4.0], [-3.0, -4.0]], requires_grad=True)
    difference(x, torch.tensor([[1.0], [-1.0]])).backward()
    torch.testing.assert_close(x.grad, torch.tensor([[0.24, 0.32], [-0.24, -0.32]]))


def test_equal_codes_have_finite_slopes() -> None:
    x = torch.full((5, 3), 0.5, requires_grad=True)
    y = torch.full((5, 3), 0.5, requires_grad=True)
    (central_moment_discrepancy(x, y) + difference(x, y)).backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_the_two_way_lstm_is_a_packed_bidirectional_one() -> None:
    torch.manual_seed(6)
    lstm, data = TwoWayLSTM(6, 4), batch()
    steps = read_steps(data, "audio").at_start()
    whole = nn.LSTM(6, 4, batch_first=True, bidirectional=True)
    weights = {**lstm.forwards.state_dict(),
               **{f"{k}_reverse": v for k, v in lstm.backwards.state_dict().items()}}  # fmt: skip
    whole.load_state_dict(weights)
    packed = pack_padded_sequence(
        steps.values, data["audio_length"], batch_first=True, enforce_sorted=False
    )
    states, (last, _) = whole(packed)
    expected, _ = pad_packed_sequence(states, batch_first=True, total_length=9)
    found, found_last = lstm(steps)
    torch.testing.assert_close(found.values * steps.real.unsqueeze(2), expected)
    torch.testing.assert_close(found_last, torch.cat([last[0], last[1]], 1))


def test_recurrent_weights_start_orthogonal() -> None:
    for lstm in build(MISA).lstms.values():
        for both in (lstm.first, lstm.second):
            weight = both.forwards.weight_hh_l0
            torch.testing.assert_close(weight.T @ weight, torch.eye(weight.shape[1]))


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    network, data = build(MISA).eval(), batch()
    prediction = network(data)
    losses = network.loss(prediction, data, Regression.criterion)
    parts = {k: v.detach().numpy() for k, v in prediction.parts.items()}
    private, shared = ([parts[f"{n}_{kind}"] for n in NAMES] for kind in ("private", "shared"))
    similarity = np.mean([naive_moments(*pair) for pair in combinations(shared, 2)])
    np.testing.assert_allclose(losses["similarity"].item(), similarity, rtol=1e-4)
    own = [naive_difference(p, s) for p, s in zip(private, shared, strict=True)]
    apart = sum(own) + sum(naive_difference(*pair) for pair in combinations(private, 2))
    np.testing.assert_allclose(losses["difference"].item(), apart, rtol=1e-4)

    def rebuilt(name: str) -> Tensor:
        codes = prediction.parts[f"{name}_private"] + prediction.parts[f"{name}_shared"]
        return network.rebuild[name](codes) - prediction.parts[f"{name}_vector"]

    reconstruction = np.mean([rebuilt(name).square().mean().item() for name in NAMES])
    np.testing.assert_allclose(losses["reconstruction"].item(), reconstruction, rtol=1e-4)
    error = (prediction.scores[:, 0] - data["label"]).square().mean().item()
    expected = error + 0.7 * similarity + 0.3 * apart + 0.9 * reconstruction
    np.testing.assert_allclose(losses["total"].item(), expected, rtol=1e-4)
