"""The control for MSAF: the same scaling and the same BlockDropout, with nothing learned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from msaf.blocks import BlockGate, Masks


class UniformGate(BlockGate):
    """MSAF with its attention fixed at 1 / N for each of the N blocks.

    What MSAF gains over this is what its attention adds; what this gains over no fusion is owed
    to smaller features and to BlockDropout. It takes those of MSAF's arguments that act on it:
    without a join there is no ``reduction`` and no ``join_mean``. Not part of the paper.
    """

    def attend(
        self, features: Sequence[Tensor], factor: Tensor | None, masks: Masks | None = None
    ) -> Tensor:
        """Return the same attention ``(1, [q], N, C)`` for every sample."""
        dtype = torch.promote_types(features[0].dtype, torch.float32)
        shape = (1, *self._grid, self.block_channels)
        return torch.full(shape, 1 / self.blocks, dtype=dtype, device=features[0].device)
