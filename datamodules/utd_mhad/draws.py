"""What is drawn for each recording of UTD-MHAD: a window, a turn, scales, noise and a crop.

Without torch, which `augmentation` needs to do it. Legend: S steps handed on.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from datamodules.formats.utd_mhad import CHANNELS
from datamodules.utd_mhad.groups import (
    UtdMhadDepth,
    UtdMhadInertial,
    UtdMhadSkeleton,
    UtdMhadWindows,
)

INERTIAL_UNITS = (1.0, 1.0, 1.0, 100.0, 100.0, 100.0)  # g, and hundreds of degrees a second
DEPTH_UNIT = 300.0  # millimetres: about as far as a body reaches before and behind its middle


@dataclass(frozen=True)
class RecordingDraws:
    """What is drawn for one recording.

    Each modality draws from a generator in the same state, the window first: so it is one window.
    """

    windows: UtdMhadWindows = field(default_factory=UtdMhadWindows)
    skeleton: UtdMhadSkeleton = field(default_factory=UtdMhadSkeleton)
    inertial: UtdMhadInertial = field(default_factory=UtdMhadInertial)
    depth: UtdMhadDepth = field(default_factory=UtdMhadDepth)

    def still(self) -> "RecordingDraws":
        """Return what evaluation does: the whole recording as it is, the centre of the frames."""
        return RecordingDraws(
            replace(self.windows, probability=0.0),
            replace(self.skeleton, rotation=0.0, scaling=0.0),
            replace(self.inertial, jitter=0.0, scaling=0.0),
            replace(self.depth, crop_place="centre"),
        )

    def _window(self, generator: np.random.Generator) -> tuple[float, float]:
        """Place, 0 for the earliest and 1 for the latest; and length as a part of the whole."""
        cut, length, place = generator.random(3)
        if cut >= self.windows.probability:
            return 0.0, 1.0
        return place, 1 - (1 - self.windows.shortest) * length

    def draw_skeleton(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(4,): place and length of the window, turn in radians, factor of the size."""
        window = self._window(generator)
        turn, size = generator.uniform(-1, 1, 2)
        turn *= np.deg2rad(self.skeleton.rotation)
        return np.array([*window, turn, 1 + self.skeleton.scaling * size])

    def draw_inertial(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(3 + 6 S,): place and length of the window, factor, and the noise."""
        window = self._window(generator)
        factor = 1 + self.inertial.scaling * generator.uniform(-1, 1)
        noise = self.inertial.jitter * generator.standard_normal(CHANNELS * self.inertial.steps)
        return np.array([*window, factor, *noise])

    def draw_depth(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(4,): place and length of the window; top and left of the crop.

        Args:
            shape: (T, height, width) of the packed frames.
            generator: what is drawn depends on it alone.
        """
        window = self._window(generator)
        margin = np.array(shape[1:]) - self.depth.size
        place = generator.random(2)
        random = self.depth.crop_place == "random"
        return np.array([*window, *((place * (margin + 1)).astype(int) if random else margin // 2)])
