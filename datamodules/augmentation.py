"""Random crop and flip of `uint8` clips."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

_LOG_RATIO = (np.log(3 / 4), np.log(4 / 3))  # of width to height
_TRIES = 10


@dataclass(frozen=True)
class CropAndFlip:
    """A random resized crop and a horizontal flip, drawn once for the clip or for each frame.

    Args:
        scale: smallest and largest area of the crop as a part of the picture's.
        flip: probability of the flip.
        per: `clip` draws once for all frames; `frame` anew for each (released code).
    """

    scale: tuple[float, float]
    flip: float
    per: Literal["clip", "frame"]

    def __call__(self, clip: np.ndarray, generator: np.random.Generator, out: np.ndarray) -> None:
        """Crop, resize back, maybe flip.

        Args:
            clip: (T, H, W, 3) uint8.
            generator: what is drawn depends on it alone.
            out: (T, H, W, 3) uint8, filled.
        """
        import cv2

        height, width = clip.shape[1:3]
        for number, (image, target) in enumerate(zip(clip, out, strict=True)):
            if number == 0 or self.per == "frame":
                top, left, h, w = self._box(height, width, generator)
                flipped = generator.random() < self.flip
            face = image[top : top + h, left : left + w]
            cv2.resize(face, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)
            if flipped:
                cv2.flip(target, 1, dst=target)

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
