"""Corrupted skeletons, `(3, T, V, P)` in meters, zero where nobody is."""

from collections.abc import Sequence

import numpy as np

from datamodules.corruption.base import Draw, LoadedCorruption


class JointJitter(LoadedCorruption):
    """Gaussian noise on every coordinate of every joint that is there, new in each frame."""

    unit = "cm"

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        noise = by.generator.standard_normal(values.shape, dtype=np.float32)
        return values + by.strength / 100 * noise * (values != 0).any(0)


class MissingJoints(LoadedCorruption):
    """Joints that the tracker never sees, each with the same probability, in all frames.

    They lie where the person's spine does, in the middle of the body. The spine is never missing,
    or the frames could not be centered on it.

    Args:
        strengths: per cent of the joints, from weak to strong.
        spine: its number among the V joints.
    """

    unit = "% of the joints"
    most = 100.0

    def __init__(self, *, strengths: Sequence[float], spine: int) -> None:
        super().__init__(strengths=strengths)
        self.spine = spine

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        missing = by.generator.random(values.shape[2:]) < by.strength / 100  # (V, P)
        missing[self.spine] = False
        return np.where(missing, values[:, :, self.spine, None], values)
