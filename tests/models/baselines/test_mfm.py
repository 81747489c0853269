"""The discrepancy by loops; recurrences step by step, as the equations say them."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from models.baselines import MFM
from models.baselines.memory_fusion import MemoryFusion, SteppedLSTM
from models.baselines.mfm import Decoder, discrepancy
from models.tasks import Regression
from tests.models.baselines.toy import FEATURES, HIDDEN, SETTINGS, batch, build, pieces


def test_the_discrepancy_by_loops() -> None:
    x, y = torch.randn(4, 3, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)

    def mean_kernel(a: Tensor, b: Tensor) -> float:
        values = [
            math.exp(-sum((float(p) - float(q)) ** 2 for p, q in zip(r, s, strict=True)) / 3 / 3)
            for r in a
            for s in b
        ]
        return sum(values) / len(values)

    expected = mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)
    assert math.isclose(float(discrepancy(x, y)), expected, rel_tol=1e-12)
    assert math.isclose(float(discrepancy(x, x)), 0.0, abs_tol=1e-12)


def test_the_unrolled_lstm_is_the_library_s_own() -> None:
    torch.manual_seed(3)
    lstm, x = SteppedLSTM(4, 5), torch.randn(2, 7, 4)
    whole = nn.LSTM(4, 5, batch_first=True)
    whole.load_state_dict({f"{name}_l0": value for name, value in lstm.state_dict().items()})
    state, cells = lstm(x)
    states, (_, last_cell) = whole(x)
    torch.testing.assert_close(state, states[:, -1])
    torch.testing.assert_close(cells[:, -1], last_cell[0])
    torch.testing.assert_close(cells[:, 2], whole(x[:, :3])[1][1][0])


def test_the_decoder_reads_its_own_state_after_the_first_step() -> None:
    torch.manual_seed(4)
    decoder, factors = Decoder(3, 2), torch.randn(5, 3)
    state, cell = decoder.cell(factors)
    expected = [decoder.layer(state)]
    for _ in range(3):
        state, cell = decoder.cell(state, (state, cell))
        expected.append(decoder.layer(state))
    torch.testing.assert_close(decoder(factors, 4), torch.stack(expected, 1))


def gate(gate: Any, attended: Tensor, memory: Tensor) -> Tensor:
    """Apply one weight matrix to both inputs side by side."""
    weight = torch.cat([gate.from_attended.weight, gate.from_memory.weight], 1)
    hidden = torch.cat([attended, memory], 1) @ weight.T + gate.from_attended.bias
    return torch.sigmoid(gate.rest[2](hidden.clamp_min(0)))


def test_the_memory_step_by_step() -> None:
    torch.manual_seed(5)
    fusion = MemoryFusion(FEATURES, **SETTINGS[MFM]["memory_fusion"]).eval()
    sequences = [torch.randn(3, 6, channels) for channels in FEATURES.values()]
    cells = [torch.zeros(3, size) for size in HIDDEN.values()]
    states = [torch.zeros(3, size) for size in HIDDEN.values()]
    memory = torch.zeros(3, 4)
    for t in range(6):
        before = torch.cat(cells, 1)
        for i, name in enumerate(FEATURES):
            cell = nn.LSTMCell(FEATURES[name], HIDDEN[name])
            cell.load_state_dict(fusion.lstms[name].state_dict())
            states[i], cells[i] = cell(sequences[i][:, t], (states[i], cells[i]))
        pair = torch.cat([before, *cells], 1)
        attended = fusion.attention(pair).softmax(1) * pair
        kept = gate(fusion.keep, attended, memory) * memory
        memory = kept + gate(fusion.take, attended, memory) * fusion.proposal(attended).tanh()
    torch.testing.assert_close(fusion(sequences), torch.cat([*states, memory], 1))


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    network, data = build(MFM).eval(), batch()
    prediction = network(data)
    losses = network.loss(prediction, data, Regression.criterion)
    error = (prediction.scores[:, 0] - data["label"]).abs().mean()
    torch.testing.assert_close(losses["error"], error)
    expected = error + 0.5 * losses["prior"]
    for name, weight in {"visual": 0.2, "audio": 0.3, "text": 0.4}.items():
        expected = expected + weight * losses[f"{name}_reconstruction"]
    torch.testing.assert_close(losses["total"], expected)
    rebuilt = network._rebuilt("text", prediction.parts)
    text = torch.zeros(12, 9, 7)
    for i, real in enumerate(pieces(data, "text")):
        text[i, 9 - len(real) :] = real  # all sequences end together
    torch.testing.assert_close(losses["text_reconstruction"], (rebuilt - text).square().mean())
