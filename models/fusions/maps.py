"""What mid-level fusions share: checks of what they are given, means of maps, gates on maps.

Legend: B samples, C channels; `*` stands for any spatial axes, or none.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def check_channels(in_channels: Sequence[int], least: int = 1) -> tuple[int, ...]:
    """Return the channels of each modality as a tuple.

    Raises:
        ValueError: for fewer than `least` modalities, or one without channels.
    """
    if not in_channels or min(in_channels) < 1:
        raise ValueError(f"expected a positive number of channels per modality, got {in_channels}")
    if len(in_channels) < least:
        raise ValueError(f"expected {least} modalities or more, got {in_channels}")
    return tuple(in_channels)


def check_maps(features: Sequence[Tensor], in_channels: Sequence[int]) -> None:
    """Refuse what is not one map `(B, C, *)` a modality, in the order of its channels.

    Raises:
        ValueError: says what was expected and what came.
    """
    if isinstance(features, Tensor):
        raise ValueError(f"expected a list of {len(in_channels)} tensors, got a tensor")
    shapes = [tuple(x.shape) for x in features]
    if [shape[1:2] for shape in shapes] != [(channels,) for channels in in_channels]:
        raise ValueError(f"expected features (B, C, *) with C = {in_channels}, got shapes {shapes}")


def spatial_mean(x: Tensor) -> Tensor:
    """Average `(B, C, *)` to `(B, C)`, in single precision at least."""
    # A sum, divided later: the gradient of a mean would be written out over the whole map.
    dtype = torch.promote_types(x.dtype, torch.float32)
    if x.ndim == 2:
        return x.to(dtype)
    return x.sum(tuple(range(2, x.ndim)), dtype=dtype) / x.shape[2:].numel()  # (B, C)


def at_every_position(value: Tensor, x: Tensor) -> Tensor:
    """Return `(B, C)` in the type of a map `x` `(B, C, *)`, with an axis for each of its own."""
    return value.to(x.dtype)[(..., *[None] * (x.ndim - 2))]
