"""Corrupted features, `(C,)`, or sequences of them, where no raw file is at hand.

Such corruption is called feature noise: what would happen to the recording stays unknown.
"""

from collections.abc import Sequence

import numpy as np

from datamodules.corruption.base import Draw, LoadedCorruption


class _FeatureCorruption(LoadedCorruption):
    """Acts on each feature of each step that is no padding.

    Args:
        strengths: from weak to strong.
        time: the axis of time, if samples are sequences; steps of zeros are padding and stay so.
    """

    def __init__(self, *, strengths: Sequence[float], time: int | None = None) -> None:
        super().__init__(strengths=strengths)
        self.time = time


class FeatureNoise(_FeatureCorruption):
    """Gaussian noise, whose deviation is a multiple of each feature's own in training."""

    unit = "training deviations"

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        noise = by.generator.standard_normal(values.shape)
        return np.where(
            self.there(values), values + by.strength * by.training().deviation * noise, 0
        )


class DroppedFeatures(_FeatureCorruption):
    """Features that become their training mean, each with the same probability."""

    unit = "% of the features"
    most = 100.0

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        dropped = by.generator.random(values.shape) < by.strength / 100
        return np.where(dropped & self.there(values), by.training().mean, values)
