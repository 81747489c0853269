"""The control for MSAF: the same scaling and the same BlockDropout, with nothing learned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from msaf.blocks import BlockChannels, BlockGate, JoinMean, Masks
from msaf.dropout import DropoutForm, DropoutMask


class UniformGate(BlockGate):
    """MSAF with its attention fixed at 1 / N for each of the N blocks.

    What MSAF gains over this is what its attention adds; what this gains over no fusion is owed
    to smaller features and to BlockDropout. It takes MSAF's arguments, so that one exchanges for
    the other in a config; ``reduction`` and ``join_mean`` have nothing to act on here. Not part of
    the paper.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        block_channels: BlockChannels,
        reduction: int = 4,
        lowest_attention: float = 0.0,
        block_dropout: float = 0.0,
        segments: int = 1,
        dropout_form: DropoutForm = "paper",
        dropout_mask: DropoutMask = "sample",
        join_mean: JoinMean = "all",
    ) -> None:
        super().__init__(
            in_channels,
            block_channels=block_channels,
            lowest_attention=lowest_attention,
            block_dropout=block_dropout,
            segments=segments,
            dropout_form=dropout_form,
            dropout_mask=dropout_mask,
            join_mean=join_mean,
        )

    def attend(
        self, features: Sequence[Tensor], factor: Tensor | None, masks: Masks | None = None
    ) -> Tensor:
        """Return the same attention ``(1, [q], N, C)`` for every sample."""
        dtype = torch.promote_types(features[0].dtype, torch.float32)
        shape = (1, *self._grid, self.block_channels)
        return torch.full(shape, 1 / self.blocks, dtype=dtype, device=features[0].device)
