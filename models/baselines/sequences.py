"""Padded sequences and what networks read from them.

Legend: B samples, T steps, C channels.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

# As the `padding` of the task's branches, which a test compares: settings of a network of its own
# count in the hash of its runs, and this is no setting.
PADDED_IN_FRONT = {"visual": True, "audio": True, "text": False}
SMALLEST_DEVIATION = 1e-6


class Steps(NamedTuple):
    """A batch of sequences: `values` `(B, T, C)`, and which steps are `real` `(B, T)`, not padding.

    The real steps of a sample are in one piece, in front of the padding or behind it.
    """

    values: Tensor
    real: Tensor

    def mean(self) -> Tensor:
        """Return the mean `(B, C)` over the real steps; zero for a sequence without any."""
        weights = self.real.unsqueeze(2).to(self.values.dtype)  # (B, T, 1)
        return (self.values * weights).sum(1) / weights.sum(1).clamp_min(1)

    def last(self) -> Tensor:
        """Return the last real step `(B, C)`; the first of all where no step is real."""
        times = torch.arange(self.real.shape[1], device=self.real.device)
        last = (times * self.real).amax(1)  # (B,)
        return self.values.gather(1, last[:, None, None].expand(-1, 1, self.values.shape[2]))[:, 0]

    def lengths(self) -> Tensor:
        """Return the number of real steps, `(B,)`."""
        return self.real.sum(1)

    def at_start(self) -> "Steps":
        """Move the real steps to the start, and put zeros behind them."""
        return self._turned(self._first())

    def at_end(self) -> "Steps":
        """Move the real steps to the end, and put zeros in front of them."""
        return self._turned(self._first() + self.lengths())

    def reversed(self) -> "Steps":
        """Turn the order of the real steps round, and put them at the start."""
        return Steps(self.values.flip(1), self.real.flip(1)).at_start()

    def standardised(self) -> "Steps":
        """Give every channel mean 0 and deviation 1 over each sample's real steps; zeros elsewhere.

        A channel that does not move within a sample becomes zero.
        """
        weights = self.real.unsqueeze(2).to(self.values.dtype)
        centered = (self.values - self.mean().unsqueeze(1)) * weights
        squares = centered.square().sum(1, keepdim=True)
        variance = squares / weights.sum(1, keepdim=True).clamp_min(1)
        # The root of the variance has no slope at zero.
        deviation = variance.clamp_min(SMALLEST_DEVIATION**2).sqrt()
        return Steps(centered / (deviation + SMALLEST_DEVIATION), self.real)

    def _first(self) -> Tensor:
        return self.real.int().argmax(1)  # (B,)

    def _turned(self, start: Tensor) -> "Steps":
        """Make the step at `start` the first; what stood before it comes to the end."""
        size = self.real.shape[1]
        order = torch.arange(size, device=start.device) + start.unsqueeze(1)
        order = order % size  # (B, T)
        real = self.real.gather(1, order)
        values = self.values.gather(1, order.unsqueeze(2).expand_as(self.values))
        return Steps(values.masked_fill(~real.unsqueeze(2), 0), real)


def read_steps(batch: Mapping[str, Tensor], modality: str) -> Steps:
    """Read a modality `(B, C, T)` of a batch, and its `<modality>_length` if there is one.

    Visual and audio sequences are padded in front, text behind.
    """
    values = batch[modality].transpose(1, 2)  # (B, T, C)
    count, size, _ = values.shape
    times = torch.arange(size, device=values.device)
    length = batch.get(f"{modality}_length", times.new_full((count,), size)).unsqueeze(1)  # (B, 1)
    real = times >= size - length if PADDED_IN_FRONT[modality] else times < length
    return Steps(values, real)
