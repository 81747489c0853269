"""Crop, flip and normalisation of clips, as `crop` draws them: done on the device that trains.

Resizing costs far more than reading the packed bytes, so the loader only draws where to crop and
hands the whole frames on.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.packed.crop import IMAGENET_MEAN, IMAGENET_STD


def crop_and_flip(
    video: Tensor, drawn: np.ndarray, *, size: tuple[int, int] | None = None
) -> Tensor:
    """Crop, resize bilinearly, flip.

    Args:
        video: (B, T, H, W, 3) uint8.
        drawn: (B, 1, 5) or (B, T, 5) from `CropAndFlip.draw`.
        size: height and width of the result, by default those of the video.

    Returns:
        (B, T, *size, 3) uint8.
    """
    size = size or (video.shape[2], video.shape[3])
    out = video.new_empty((*video.shape[:2], *size, 3))
    span = video.shape[1] // drawn.shape[1]  # frames that share a draw
    for sample, target, draws in zip(video, out, drawn.tolist(), strict=True):
        for number, (top, left, height, width, flip) in enumerate(draws):
            frames = slice(number * span, (number + 1) * span)
            crop = sample[frames, top : top + height, left : left + width].permute(0, 3, 1, 2)
            if crop.is_cuda:
                crop = crop.float()  # only the CPU resizes bytes
            crop = F.interpolate(crop, size=size, mode="bilinear").round_()
            target[frames] = (crop.flip(-1) if flip else crop).permute(0, 2, 3, 1)
    return out


def normalise(video: Tensor, channel_order: str = "rgb") -> Tensor:
    """(B, T, H, W, 3) bytes -> (B, 3, T, H, W) with ImageNet's mean 0 and deviation 1."""
    if channel_order == "bgr":
        video = video.flip(-1)
    # non_blocking: a blocking copy would wait until the device has done everything before
    mean, std = (
        torch.tensor(channels).to(video.device, non_blocking=True).view(3, 1, 1, 1) * 255
        for channels in (IMAGENET_MEAN, IMAGENET_STD)
    )
    planes = video.permute(0, 4, 1, 2, 3)  # (B, 3, T, H, W)
    # Left as the bytes lie, channels last, the CPU's convolutions are a fifth faster.
    layout = torch.contiguous_format if video.is_cuda else torch.preserve_format
    return planes.to(torch.float32, memory_format=layout).sub_(mean).div_(std)
