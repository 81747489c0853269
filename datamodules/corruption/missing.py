"""A modality that is missing: nothing, or always the same, in its place."""

import numpy as np

from datamodules.corruption.base import Draw, LoadedCorruption


class Zeros(LoadedCorruption):
    """Zeros as they would be packed: black frames, skeletons of nobody, features of 0."""

    unit = ""  # there are no degrees
    most = 1.0

    def __init__(self) -> None:
        super().__init__(strengths=[1])

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        return np.zeros_like(values)


class TrainingMean(LoadedCorruption):
    """The mean of the training samples in place of every sample.

    Args:
        time: the axis of time, if samples are sequences; the mean is over all steps, and stands in
            those that are no padding.
    """

    unit = ""  # there are no degrees
    most = 1.0

    def __init__(self, *, time: int | None = None) -> None:
        super().__init__(strengths=[1])
        self.time = time

    def corrupt(self, values: np.ndarray, by: Draw) -> np.ndarray:
        mean = by.training().mean
        if self.time is not None:
            return np.where(self.there(values), mean, 0)
        return np.rint(mean) if values.dtype.kind in "iu" else mean
