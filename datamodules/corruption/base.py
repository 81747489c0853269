"""What a corruption is: a change of one modality of every test sample, by a strength."""

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from datamodules.corruption.moments import Moments, training_moments
from datamodules.packed.batch import Change
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.errors import DataError


class Corruption(ABC):
    """A change of one modality of every test sample.

    Args:
        strengths: those to look at, from weak to strong.

    Raises:
        DataError: for no strength, or one outside the corruption's range.
    """

    unit: ClassVar[str]  # of a strength; empty where there are no degrees
    needs_raw: ClassVar[bool] = False  # whether it reads the raw files
    least: ClassVar[float] = 0.0
    most: ClassVar[float] = float("inf")

    def __init__(self, *, strengths: Sequence[float]) -> None:
        if not self._fit(strengths):
            raise DataError(
                f"{type(self).__name__}.strengths={strengths}: expected a list of one or more "
                f"numbers from {self.least:g} to {self.most:g} ({self.unit})"
            )
        self.strengths = tuple(float(strength) for strength in strengths)

    def _fit(self, strengths: object) -> bool:
        if not isinstance(strengths, Sequence) or not strengths:
            return False
        return all(
            isinstance(s, int | float) and math.isfinite(s) and self.least <= s <= self.most
            for s in strengths
        )

    @abstractmethod
    def changes(
        self,
        data: PackedDataModule,
        modality: str,
        strength: float,
        *,
        raw: Path | None,
        copies: Path,
    ) -> Mapping[str, Change]:
        """Return what is done to which packed array as it is loaded.

        Args:
            data: set up; its packed set and its training rows are looked at.
            modality: what is corrupted.
            strength: in the corruption's unit.
            raw: the raw folder that the packed set was made from, if the user named it.
            copies: the folder for packed copies of corrupted raw files.
        """


class LoadedCorruption(Corruption):
    """One that acts on samples as they are loaded, before anything is cut out or normalised.

    What is drawn for a sample depends on the corruption's name and the sample's row alone. So all
    runs see the same corrupted samples, and a stronger corruption goes on from a weaker one.
    """

    time: int | None = None  # the axis of time, if a sample is a sequence padded with zeros

    @abstractmethod
    def corrupt(self, values: np.ndarray, by: "Draw") -> np.ndarray:
        """Return a sample, corrupted, in its shape.

        Args:
            values: the sample as packed; not to be changed in place.
            by: how much, and what is drawn from.
        """

    def there(self, values: np.ndarray) -> np.ndarray | bool:
        """Return where a sample is no padding: at true steps of a sequence, else everywhere."""
        if self.time is None:
            return True
        others = tuple(axis for axis in range(values.ndim) if axis != self.time)
        return (values != 0).any(others, keepdims=True)

    def changes(
        self,
        data: PackedDataModule,
        modality: str,
        strength: float,
        *,
        raw: Path | None,
        copies: Path,
    ) -> Mapping[str, Change]:
        return {modality: _Applied(self, strength, LazyMoments(data, modality, self.time))}


class LazyMoments:
    """Mean and deviation of the training samples, worked out once, where they are asked for."""

    def __init__(self, data: PackedDataModule, modality: str, time: int | None) -> None:
        self._array = data.training_rows.arrays[modality]
        self._rows = data.rows["train"]
        self._time = time
        self._found: Moments | None = None

    def __call__(self) -> Moments:
        if self._found is None:
            self._found = training_moments(self._array, self._rows, time=self._time)
        return self._found


@dataclass(frozen=True)
class Draw:
    """What one sample is corrupted by.

    Args:
        strength: in the corruption's unit.
        generator: of all that is drawn for this sample.
        training: mean and deviation of the training samples.
    """

    strength: float
    generator: np.random.Generator
    training: LazyMoments


@dataclass(frozen=True)
class _Applied:
    """A corruption at one strength, as rows of a data set are changed by it."""

    corruption: LoadedCorruption
    strength: float
    training: LazyMoments

    def __call__(self, values: np.ndarray, row: int) -> np.ndarray:
        name = zlib.crc32(type(self.corruption).__name__.encode())
        generator = np.random.default_rng((name, row))
        changed = self.corruption.corrupt(values, Draw(self.strength, generator, self.training))
        return changed.astype(values.dtype, copy=False)
