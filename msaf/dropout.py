"""BlockDropout: whole blocks are dropped, and their attention with them (section 3.1)."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

DropoutForm = Literal["paper", "released"]
DropoutMask = Literal["sample", "batch"]


class BlockDropout(nn.Module):
    """Draws the factors by which one training step scales the blocks.

    With ``m`` the binary mask of a step and ``s = m / (1 - p)``, the two forms are

    ============ ====================== ================================================
    ``form``     blocks before the join blocks on their way out
    ============ ====================== ================================================
    ``paper``    ``m``                  ``s``: the mean of the output is kept
    ``released`` ``s``                  ``s * s``, as the released code does it: the mean
                                        of the output grows to ``1 / (1 - p)`` of it
    ============ ====================== ================================================

    Args:
        p: probability that a block is dropped, in [0, 1).
        form: which of the two.
        mask: ``sample`` draws one mask per sample, ``batch`` one for the whole batch (the older
            released code).

    Raises:
        ValueError: an argument is outside its range.
    """

    def __init__(
        self, p: float = 0.0, form: DropoutForm = "paper", mask: DropoutMask = "sample"
    ) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"block_dropout is a probability in [0, 1), got {p}")
        if form not in get_args(DropoutForm):
            raise ValueError(f"dropout_form is one of {get_args(DropoutForm)}, got {form!r}")
        if mask not in get_args(DropoutMask):
            raise ValueError(f"dropout_mask is one of {get_args(DropoutMask)}, got {mask!r}")
        self.p = float(p)
        self.form = form
        self.mask = mask

    def forward(self, like: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor] | None:
        """Draw the factors of one step.

        Args:
            like: features ``(B, ...)``, for their batch size and device.
            shape: of the blocks of one sample.

        Returns:
            The factors before the join and on the way out, both ``(B or 1, *shape, 1)``, at least
            in single precision; None where nothing is dropped.
        """
        if not self.training or self.p == 0:
            return None
        keep = 1 - self.p
        rows = like.shape[0] if self.mask == "sample" else 1
        dtype = torch.promote_types(like.dtype, torch.float32)
        mask = torch.empty(rows, *shape, 1, device=like.device, dtype=dtype).bernoulli_(keep)
        scaled = mask / keep
        return (mask, scaled) if self.form == "paper" else (scaled, scaled / keep)

    def extra_repr(self) -> str:
        return f"p={self.p}, form={self.form!r}, mask={self.mask!r}"
