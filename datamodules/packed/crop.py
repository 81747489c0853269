"""What is drawn for the crop and flip of a clip, and how its frames are normalised: numbers alone.

`augmentation` does it, which takes torch.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

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


def normalised(channel_order: str = "rgb") -> dict[str, Any]:
    """Say in JSON what `augmentation.normalise` does."""
    return {
        "axes": f"batch, colour ({', '.join(channel_order)}), time, height, width",
        "is": "(byte / 255 - mean) / std, of each colour in its place",
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
    }
