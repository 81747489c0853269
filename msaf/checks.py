"""What a gate accepts: sizes of blocks, features and masks that fit, or an error that says why not.

Shapes: B batch, C_m channels of modality m, S the first spatial axis, ``*`` the further ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

JoinMean = Literal["all", "masked"]
Masks = Sequence[Tensor | None]
BlockChannels = int | float | Literal["auto"]


def channels_of_block(block_channels: BlockChannels, in_channels: tuple[int, ...]) -> int:
    """Return the channels C of a block as a number, from a number, a share or the paper's rule.

    Raises:
        ValueError: it is none of these, or less than one channel.
    """
    share = 0.5 if block_channels == "auto" else block_channels  # section 5.5
    if isinstance(share, int) and share >= 1:
        return share
    if not isinstance(share, float) or not 0 < share <= 1:
        raise ValueError(
            "block_channels is a positive whole number, a share up to 1.0 of the fewest channels, "
            f"or 'auto', got {block_channels!r}"
        )
    if min(in_channels) * share < 1:
        raise ValueError(
            f"block_channels={block_channels!r} is {share} of the fewest channels, less than one "
            f"of {in_channels}; give block_channels as a whole number"
        )
    return int(min(in_channels) * share)


def check_masks(masks: Masks | None, features: Sequence[Tensor], join_mean: JoinMean) -> None:
    """Refuse masks that nobody reads, or that do not fit the features ``(B, C_m, S, *)``.

    Raises:
        ValueError: says what was expected and what came.
    """
    if masks is None:
        return
    if join_mean != "masked" or len(masks) != len(features):
        raise ValueError(
            f"masks are for join_mean='masked', one or None per modality; got {len(masks)} for "
            f"{len(features)} modalities and join_mean={join_mean!r}"
        )
    for modality, (mask, x) in enumerate(zip(masks, features, strict=True)):
        if mask is not None and (
            mask.dtype != torch.bool or x.ndim < 3 or mask.shape != (x.shape[0], x.shape[2])
        ):
            raise ValueError(
                f"modality {modality}, of shape {tuple(x.shape)}: expected a mask (B, S) of "
                f"booleans, got {tuple(mask.shape)} of {mask.dtype}"
            )


def feature_problem(x: Tensor, channels: int, batch: Sequence[int], segments: int) -> str:
    """Return what is wrong with one modality's features ``(B, C_m, *)``, empty for nothing."""
    if x.ndim < 2 or x.shape[1] != channels:
        return f"expected {channels} channels on axis 1; features are channels first (B, C, *)"
    if x.shape[:1] != batch:
        return f"expected the batch size of modality 0, {batch[0]}"
    if not x.is_floating_point():
        return f"expected floating point numbers, got {x.dtype}"
    if segments > 1 and (x.ndim < 3 or x.shape[2] < segments):
        return (
            f"expected a sequence of at least {segments} steps on axis 2, one per segment; "
            f"use segments=1 or longer sequences"
        )
    if 0 in x.shape[2:]:
        return "expected at least one position on each spatial axis; an empty map has no mean"
    return ""
