"""What every gate over channel blocks has in common: split, drop, highlight, merge.

Shapes: B batch, C_m channels of modality m, C channels of a block, N blocks of all modalities,
``*`` the spatial axes (none, one or several; they may differ per modality). ``[q]`` is the axis of
the q segments, absent where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msaf.checks import (
    BlockChannels,
    JoinMean,
    Masks,
    channels_of_block,
    check_masks,
    feature_problem,
)
from msaf.dropout import BlockDropout, DropoutForm, DropoutMask
from msaf.segments import apply_gate, segment_means


class GateArguments(TypedDict, total=False):
    """The keyword arguments of every gate."""

    block_channels: BlockChannels
    lowest_attention: float
    block_dropout: float
    segments: int
    dropout_form: DropoutForm
    dropout_mask: DropoutMask


class BlockGate(nn.Module):
    """Scales the channel blocks of several modalities; a subclass says by how much, in ``attend``.

    The maps are never reshaped into blocks: their means are, which is the same by equation 1 and
    leaves one reduction and one product over each map.

    What all gates take is declared here once, and explained in ``MSAF``.

    Raises:
        ValueError: an argument is outside its range.
    """

    join_mean: JoinMean = "all"

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        block_channels: BlockChannels = "auto",
        lowest_attention: float = 0.0,
        block_dropout: float = 0.0,
        segments: int = 1,
        dropout_form: DropoutForm = "paper",
        dropout_mask: DropoutMask = "sample",
    ) -> None:
        super().__init__()
        self.in_channels = tuple(int(channels) for channels in in_channels)
        if not self.in_channels or min(self.in_channels) < 1:
            raise ValueError(f"in_channels is one positive number per modality, got {in_channels}")
        self.block_channels = channels_of_block(block_channels, self.in_channels)
        if not 0 <= lowest_attention <= 1:
            raise ValueError(f"lowest_attention is in [0, 1], got {lowest_attention}")
        if segments < 1:
            raise ValueError(f"segments is at least 1, got {segments}")
        self.lowest_attention = float(lowest_attention)
        self.segments = segments
        self.blocks_per_modality = tuple(
            -(-channels // self.block_channels) for channels in self.in_channels
        )
        self.blocks = sum(self.blocks_per_modality)
        self._padded_channels = [n * self.block_channels for n in self.blocks_per_modality]
        self._padded = tuple(self._padded_channels) != self.in_channels
        self.dropout = BlockDropout(block_dropout, dropout_form, dropout_mask)

    def forward(self, features: Sequence[Tensor], masks: Masks | None = None) -> list[Tensor]:
        """Scale each modality's blocks.

        Args:
            features: one ``(B, C_m, *)`` per modality, in the order of ``in_channels``. With
                segments, the first spatial axis is the sequence and the last segment takes the
                remainder.
            masks: for ``join_mean="masked"``, one ``(B, S)`` of booleans per modality, true at the
                steps of the first spatial axis that are no padding; None where all of them count.
                They act on the means of the join alone: every step is scaled.

        Returns:
            New tensors with the shapes, types and order of ``features``.

        Raises:
            ValueError: a number of modalities, channels or steps, a batch size, a type or a mask
                that does not fit.
        """
        self._check(features)
        check_masks(masks, features, self.join_mean)
        factors = self.dropout(features[0], self._grid)  # two of (B or 1, [q], N, 1), or None
        factor = factors[0] if factors else None
        gate = self.attend(features, factor, masks)  # A, (B or 1, [q], N, C)
        if self.lowest_attention:
            gate = self.lowest_attention + (1 - self.lowest_attention) * gate  # equation 5
        if factors:
            gate = gate * factors[1]
        return [apply_gate(x, part) for x, part in zip(features, self._merge(gate), strict=True)]

    def attend(
        self, features: Sequence[Tensor], factor: Tensor | None, masks: Masks | None = None
    ) -> Tensor:
        """Return the attention ``(B or 1, [q], N, C)``.

        ``factor``, ``(B or 1, [q], N, 1)`` or None, scales the blocks that it is computed from;
        ``masks`` are those of ``forward``.
        """
        raise NotImplementedError

    @property
    def takes_masks(self) -> bool:
        """Whether ``forward`` may be given masks: with ``join_mean="masked"`` alone."""
        return self.join_mean == "masked"

    @property
    def _grid(self) -> tuple[int, ...]:
        """The blocks of one sample: ``([q], N)``."""
        return (self.blocks,) if self.segments == 1 else (self.segments, self.blocks)

    def split_means(self, features: Sequence[Tensor], masks: Masks | None = None) -> Tensor:
        """Return the spatial mean of each block, ``(B, [q], N, C)``, missing channels zero."""
        pairs = zip(features, masks or [None] * len(features), strict=True)
        means = [segment_means(x, self.segments, mask) for x, mask in pairs]  # (B, [q], C_m) each
        if self._padded:
            means = [F.pad(mean, (0, -mean.shape[-1] % self.block_channels)) for mean in means]
        return torch.cat(means, dim=-1).view(-1, *self._grid, self.block_channels)

    def _merge(self, gate: Tensor) -> Sequence[Tensor]:
        """Give each modality its part ``(B or 1, [q], C_m)`` of ``(B or 1, [q], N, C)``."""
        parts = gate.flatten(-2).split(self._padded_channels, dim=-1)
        if not self._padded:
            return parts
        return [
            part[..., :channels] for part, channels in zip(parts, self.in_channels, strict=True)
        ]

    def _check(self, features: Sequence[Tensor]) -> None:
        if isinstance(features, Tensor) or len(features) != len(self.in_channels):
            came = "a single tensor" if isinstance(features, Tensor) else f"{len(features)}"
            raise ValueError(
                f"expected a list of {len(self.in_channels)} feature tensors, one per modality "
                f"with {self.in_channels} channels, got {came}"
            )
        batch = features[0].shape[:1]
        for modality, (x, channels) in enumerate(zip(features, self.in_channels, strict=True)):
            problem = feature_problem(x, channels, batch, self.segments)
            if problem:
                raise ValueError(f"modality {modality}, of shape {tuple(x.shape)}: {problem}")

    def extra_repr(self) -> str:
        return (
            f"in_channels={self.in_channels}, block_channels={self.block_channels}, "
            f"blocks_per_modality={self.blocks_per_modality}, "
            f"lowest_attention={self.lowest_attention}, segments={self.segments}"
        )
