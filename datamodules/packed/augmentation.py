"""Random crop and flip of clips, and their normalisation: done on the device that trains.

Resizing costs far more than reading the packed bytes, so the loader only draws where to crop and
hands the whole frames on.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_LOG_RATIO = (np.log(3 / 4), np.log(4 / 3))  # of width to height
_TRIES = 10


@dataclass(frozen=True)
class CropAndFlip:
    """A random resized crop and a horizontal flip, drawn once for the clip or for each frame.

    Args:
        scale: smallest and largest area of the crop as a part of the frame's. A crop that does not
            fit into the frame is drawn again; after ten tries the whole frame is taken.
        flip: probability of the flip.
        per: `clip` draws once for all frames; `frame` anew for each (released code).
    """

    scale: tuple[float, float]
    flip: float
    per: Literal["clip", "frame"]

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Draw for one clip.

        Args:
            shape: (T, H, W, 3) of the clip.
            generator: what is drawn depends on it alone.

        Returns:
            (1, 5) or (T, 5) int: top, left, height and width of the crop, and 1 to flip it.
        """
        frames, height, width = shape[:3]
        draws = 1 if self.per == "clip" else frames
        return np.array(
            [
                (*self._box(height, width, generator), generator.random() < self.flip)
                for _ in range(draws)
            ]
        )

    def _box(
        self, height: int, width: int, generator: np.random.Generator
    ) -> tuple[int, int, int, int]:
        """Top, left, height, width; drawn as torchvision's `RandomResizedCrop` does."""
        for _ in range(_TRIES):
            area = height * width * generator.uniform(*self.scale)
            ratio = np.exp(generator.uniform(*_LOG_RATIO))
            h, w = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
            if 0 < h <= height and 0 < w <= width:
                top = int(generator.integers(height - h + 1))
                left = int(generator.integers(width - w + 1))
                return top, left, h, w
        return 0, 0, height, width


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


def normalised(channel_order: str = "rgb") -> dict[str, Any]:
    """Say in JSON what `normalise` does."""
    return {
        "axes": f"batch, colour ({', '.join(channel_order)}), time, height, width",
        "is": "(byte / 255 - mean) / std, of each colour in its place",
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
    }


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
