"""Corrupted features, `(C,)`, or sequences of them, `(T, C)`, where no raw file is at hand.

Such corruption is called feature noise: what would happen to the recording stays unknown.
"""

from collections.abc import Sequence

import numpy as np

from datamodules.corruption.base import LazyMoments, LoadedCorruption


class _FeatureCorruption(LoadedCorruption):
    """Acts on each feature of each step that is no padding.

    Args:
        strengths: from weak to strong.
        steps: samples are sequences; their rows of zeros are padding and stay so.
    """

    def __init__(self, *, strengths: Sequence[float], steps: bool = False) -> None:
        super().__init__(strengths=strengths)
        self.steps = steps

    def _there(self, values: np.ndarray) -> np.ndarray | bool:
        return (values != 0).any(-1, keepdims=True) if self.steps else True


class FeatureNoise(_FeatureCorruption):
    """Gaussian noise, whose deviation is a multiple of each feature's own in training."""

    unit = "training deviations"

    def corrupt(
        self,
        values: np.ndarray,
        strength: float,
        generator: np.random.Generator,
        training: LazyMoments,
    ) -> np.ndarray:
        noise = generator.standard_normal(values.shape)
        return np.where(self._there(values), values + strength * training().deviation * noise, 0)


class DroppedFeatures(_FeatureCorruption):
    """Features that become their training mean, each with the same probability."""

    unit = "% of the features"
    most = 100.0

    def corrupt(
        self,
        values: np.ndarray,
        strength: float,
        generator: np.random.Generator,
        training: LazyMoments,
    ) -> np.ndarray:
        dropped = generator.random(values.shape) < strength / 100
        return np.where(dropped & self._there(values), training().mean, values)
