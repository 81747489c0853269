"""The memory fusion network that encodes all modalities together in MFM.

Legend: B samples, T steps, C channels, H state, S the states of all modalities together, D memory.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.sentiment import MODALITIES


class SteppedLSTM(nn.LSTMCell):
    """An LSTM that also tells its cell at every step, which `nn.LSTM` does not."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Read `(B, T, C)`; return the last state `(B, H)` and all cells `(B, T, H)`."""
        # What does not wait for the state is one product for all steps.
        inputs = F.linear(x, self.weight_ih, self.bias_ih + self.bias_hh)  # (B, T, 4 H)
        state = cell = x.new_zeros(x.shape[0], self.hidden_size)
        cells = []
        recurrent = self.weight_hh.T
        for step in inputs.unbind(1):
            state, cell = advance(torch.addmm(step, state, recurrent), cell)
            cells.append(cell)
        return state, torch.stack(cells, 1)


def advance(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next state and cell of an LSTM from its gates `(B, 4 H)` before their sigmoids."""
    enter, forget, candidate, leave = gates.chunk(4, 1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def two_layers(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Return a linear layer, ReLU, dropout, and another linear layer."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs)
    )


class MemoryGate(nn.Module):
    """`sigmoid(W_2 dropout(relu(W_1 [attended, memory])))`, with W_1 cut in its two parts.

    Args:
        attended: size of the attended cells, which are known for all steps beforehand.
        memory: D.
        hidden: size of the layer between.
        dropout: behind that layer.
    """

    def __init__(self, attended: int, *, memory: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.from_attended = nn.Linear(attended, hidden)
        self.from_memory = nn.Linear(memory, hidden, bias=False)
        self.rest = nn.Sequential(
            nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, memory), nn.Sigmoid()
        )

    def forward(self, attended: Tensor, memory: Tensor) -> Tensor:
        """Gate `(B, D)` from the hidden part `(B, hidden)` of the attended cells, and a memory."""
        return self.rest(attended + self.from_memory(memory))


class MemoryFusion(nn.Module):
    """Memory fusion network (Zadeh et al. 2018) without its head.

    One LSTM a modality. At step t the cells of all of them at t-1 and t, side by side `(B, 2 S)`,
    are weighted by a softmax attention over these entries; the attended cells propose a memory,
    and two gates that see them and the memory of before say what is kept and what is taken.

    Args:
        features: C of each modality.
        hidden: H of each modality; S is their sum.
        memory: D.
        attention: hidden size and dropout of the attention.
        proposal: those of the proposed memory.
        keep: those of the gate on the memory of before.
        take: those of the gate on the proposed memory.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: Mapping[str, int],
        memory: int,
        attention: tuple[int, float],
        proposal: tuple[int, float],
        keep: tuple[int, float],
        take: tuple[int, float],
    ) -> None:
        super().__init__()
        self.lstms = nn.ModuleDict(
            {name: SteppedLSTM(features[name], hidden[name]) for name in MODALITIES}
        )
        states = sum(hidden.values())
        self.outputs = states + memory
        self.memory = memory
        self.attention = two_layers(2 * states, attention[0], 2 * states, attention[1])
        self.proposal = two_layers(2 * states, proposal[0], memory, proposal[1])
        self.keep = MemoryGate(2 * states, memory=memory, hidden=keep[0], dropout=keep[1])
        self.take = MemoryGate(2 * states, memory=memory, hidden=take[0], dropout=take[1])

    def forward(self, sequences: Sequence[Tensor]) -> Tensor:
        """Read `(B, T, C)` of every modality, step by step together; return `(B, S + D)`."""
        read = [lstm(x) for lstm, x in zip(self.lstms.values(), sequences, strict=True)]
        cells = torch.cat([cells for _, cells in read], 2)  # (B, T, S)
        before = F.pad(cells, (0, 0, 1, 0))[:, :-1]
        pairs = torch.cat([before, cells], 2)  # (B, T, 2 S)
        attended = self.attention(pairs).softmax(2) * pairs
        proposed = self.proposal(attended).tanh()  # (B, T, D)
        keep, take = self.keep.from_attended(attended), self.take.from_attended(attended)
        memory = pairs.new_zeros(pairs.shape[0], self.memory)
        # Only what depends on the memory of before is left to do step by step.
        for k, t, new in zip(keep.unbind(1), take.unbind(1), proposed.unbind(1), strict=True):
            memory = self.keep(k, memory) * memory + self.take(t, memory) * new
        return torch.cat([*(state for state, _ in read), memory], 1)
