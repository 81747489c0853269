"""The recurrent encoder of MISA: bidirectional LSTMs over sequences of different lengths.

Legend: B samples, T steps, C channels, H states.
"""

import torch
from torch import Tensor, nn

from models.baselines.sequences import Steps


class TwoWayLSTM(nn.Module):
    """A bidirectional LSTM over the real steps of every sequence, without packing.

    Each direction is an LSTM that reads the real steps first, and so never sees the padding. That
    is several times as fast on the CPU as a packed sequence, and needs no lengths there.

    Args:
        channels: C.
        hidden: H of each direction; its recurrent weights start orthogonal.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(channels, hidden, batch_first=True)
        self.backwards = nn.LSTM(channels, hidden, batch_first=True)
        for lstm in (self.forwards, self.backwards):
            nn.init.orthogonal_(lstm.get_parameter("weight_hh_l0"))

    def forward(self, steps: Steps) -> tuple[Steps, Tensor]:
        """Read sequences that start with their real steps.

        Returns:
            The states of both directions at every step, `(B, T, 2 H)`, and their last, `(B, 2 H)`.
        """
        ahead = Steps(self.forwards(steps.values)[0], steps.real)
        back = Steps(self.backwards(steps.reversed().values)[0], steps.real)
        states = torch.cat([ahead.values, back.reversed().values], 2)
        return Steps(states, steps.real), torch.cat([ahead.last(), back.last()], 1)


class SequenceEncoder(nn.Module):
    """Two bidirectional LSTMs with a layer norm between; the last states of both, `(B, 4 C)`.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = TwoWayLSTM(channels, channels)
        self.norm = nn.LayerNorm(2 * channels)
        self.second = TwoWayLSTM(2 * channels, channels)

    def forward(self, steps: Steps) -> Tensor:
        states, first = self.first(steps.at_start())
        _, second = self.second(states._replace(values=self.norm(states.values)))
        return torch.cat([first, second], 1)
