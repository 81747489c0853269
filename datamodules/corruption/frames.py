"""Corrupted frames, `(T, H, W, 3)` bytes."""

import math

import numpy as np

from datamodules.corruption.base import Draw, LoadedCorruption


class Blur(LoadedCorruption):
    """A Gaussian blur of every frame; its deviation is a share of the frame's shorter side."""

    unit = "% of the side"

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        import cv2

        if not by.strength:
            return values
        sigma = by.strength / 100 * min(values.shape[1:3])
        return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in values])


class Occlusion(LoadedCorruption):
    """A black square over a share of the area, at one place in all frames of a clip.

    The place is drawn uniformly among those where the square lies whole inside the frame; if its
    side exceeds the frame's shorter side, it becomes as long a rectangle as it takes.
    """

    unit = "% of the area"
    most = 100.0

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        height, width = values.shape[1:3]
        tall, wide = _rectangle(by.strength / 100 * height * width, height, width)
        top = int(by.generator.random() * (height - tall + 1))
        left = int(by.generator.random() * (width - wide + 1))
        covered = values.copy()
        covered[:, top : top + tall, left : left + wide] = 0
        return covered


def _rectangle(area: float, height: int, width: int) -> tuple[int, int]:
    """Return height and width of the rectangle of an area that is as square as it can be."""
    side = math.sqrt(area)
    if side > height:
        return height, min(round(area / height), width)
    if side > width:
        return min(round(area / width), height), width
    return round(side), round(side)
