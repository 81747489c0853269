"""Corrupted skeletons, `(3, T, V, P)` in metres, zero where nobody is."""

import numpy as np

from datamodules.corruption.base import LazyMoments, LoadedCorruption


class JointJitter(LoadedCorruption):
    """Gaussian noise on every coordinate of every joint that is there, new in each frame."""

    unit = "cm"

    def corrupt(
        self,
        values: np.ndarray,
        strength: float,
        generator: np.random.Generator,
        training: LazyMoments,
    ) -> np.ndarray:
        noise = generator.standard_normal(values.shape, dtype=np.float32)
        return values + strength / 100 * noise * (values != 0).any(0)


class MissingJoints(LoadedCorruption):
    """Joints that the tracker never sees, each with the same probability: zero in all frames."""

    unit = "% of the joints"
    most = 100.0

    def corrupt(
        self,
        values: np.ndarray,
        strength: float,
        generator: np.random.Generator,
        training: LazyMoments,
    ) -> np.ndarray:
        kept = generator.random(values.shape[2:]) >= strength / 100  # (V, P)
        return values * kept
