"""Windows, turns, scales, noise and crops of UTD-MHAD, as the loader draws them; without torch.

Legend: S steps handed on, T packed steps.
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
DEPTH_UNIT = 300.0  # millimeters: about as far as a body reaches before and behind its middle


@dataclass(frozen=True)
class RecordingAugmentation:
    """What is drawn for one recording.

    Each modality draws from a generator in the same state: so it is one window for all.
    """

    windows: UtdMhadWindows = field(default_factory=UtdMhadWindows)
    skeleton: UtdMhadSkeleton = field(default_factory=UtdMhadSkeleton)
    inertial: UtdMhadInertial = field(default_factory=UtdMhadInertial)
    depth: UtdMhadDepth = field(default_factory=UtdMhadDepth)

    def still(self) -> "RecordingAugmentation":
        """Return what evaluation does: the whole recording as it is, the centre of the frames."""
        return RecordingAugmentation(
            replace(self.windows, probability=0.0),
            replace(self.skeleton, rotation=0.0, scaling=0.0),
            replace(self.inertial, jitter=0.0, scaling=0.0),
            replace(self.depth, crop_place="centre"),
        )

    def _draw(self, generator: np.random.Generator) -> "_Drawn":
        """Draw for all modalities; each takes what is its own, so windows agree and no more does.

        So a turn of the skeleton says nothing of the factor of the inertial signals.
        """
        cut, length, place = generator.random(3)
        window = (0.0, 1.0)
        if cut < self.windows.probability:
            window = (place, 1 - (1 - self.windows.shortest) * length)
        turn, size, factor = generator.uniform(-1, 1, 3)
        return _Drawn(window, turn, size, factor, generator.random(2))

    def draw_skeleton(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(4,): place and length of the window, turn in radians, factor of the size."""
        drawn = self._draw(generator)
        turn = np.deg2rad(self.skeleton.rotation) * drawn.turn
        return np.array([*drawn.window, turn, 1 + self.skeleton.scaling * drawn.size])

    def draw_inertial(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(3 + 6 S,): place and length of the window, factor, and the noise."""
        drawn = self._draw(generator)
        factor = 1 + self.inertial.scaling * drawn.factor
        noise = self.inertial.jitter * generator.standard_normal(CHANNELS * self.inertial.steps)
        return np.array([*drawn.window, factor, *noise])

    def draw_depth(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(4,): place and length of the window; top and left of the crop.

        Args:
            shape: (T, height, width) of the packed frames.
            generator: what is drawn depends on it alone.
        """
        drawn = self._draw(generator)
        margin = np.array(shape[1:]) - self.depth.size
        random = self.depth.crop_place == "random"
        crop = (drawn.crop * (margin + 1)).astype(int) if random else margin // 2
        return np.array([*drawn.window, *crop])


@dataclass(frozen=True)
class _Drawn:
    """Of a recording, for all modalities.

    Args:
        window: place, 0 for the earliest and 1 for the latest; length as a part of the whole.
        turn: of the skeleton, from -1 to 1; likewise its size and the inertial factor.
        size: see there.
        factor: see there.
        crop: (2,) from 0 to 1.
    """

    window: tuple[float, float]
    turn: float
    size: float
    factor: float
    crop: np.ndarray
