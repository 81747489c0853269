"""The settings of UTD-MHAD's batches, grouped by what they act on."""

from dataclasses import dataclass
from typing import Literal

from datamodules.packed.settings import bounded, check_settings


@dataclass(frozen=True)
class UtdMhadWindows:
    """The temporal crop, of all modalities.

    Args:
        probability: that a recording is cut to a window; 0 turns it off.
        shortest: its least length as a part of the recording. Skeleton and depth start and end
            together, the sensor has a clock of its own: the window is the same part of each.
    """

    probability: float = bounded(1.0, most=1)
    shortest: float = bounded(0.8, most=1)

    def __post_init__(self) -> None:
        check_settings(self, "windows")


@dataclass(frozen=True)
class UtdMhadSkeleton:
    """What acts on the skeletons alone.

    Args:
        frames: handed on, interpolated linearly.
        centre: the origin is the middle of the spine of each `frame`, or of the `clip`'s first.
        rotation: largest turn about the vertical axis, in degrees either way; 0 turns it off.
        scaling: largest change of the size, as a part of it; 0 turns it off.
    """

    frames: int = 32
    centre: Literal["frame", "clip"] = "clip"
    rotation: float = bounded(30.0, most=180)
    scaling: float = bounded(0.1, most=0.9)

    def __post_init__(self) -> None:
        check_settings(self, "skeleton")


@dataclass(frozen=True)
class UtdMhadInertial:
    """What acts on the inertial signals alone.

    Args:
        steps: handed on, interpolated linearly.
        jitter: standard deviation of the noise added to each number handed on (so in g, and in
            hundreds of degrees a second); 0 turns it off.
        scaling: largest change of all numbers of a recording, as a part of them; 0 turns it off.
    """

    steps: int = bounded(128, least=4)
    jitter: float = 0.05
    scaling: float = bounded(0.1, most=0.9)

    def __post_init__(self) -> None:
        check_settings(self, "inertial")


@dataclass(frozen=True)
class UtdMhadDepth:
    """What acts on the depth video alone.

    Args:
        frames: handed on, those nearest to evenly spread moments.
        size: height and width of the crop that is handed on.
        crop_place: anywhere at `random`, the same for all frames of a clip, or the `centre`.
    """

    frames: int = 8
    size: int = 32
    crop_place: Literal["random", "centre"] = "random"

    def __post_init__(self) -> None:
        check_settings(self, "depth")


@dataclass(frozen=True)
class UtdMhadReplaced:
    """One of three modalities of some recordings replaced by another recording's; ours.

    Args:
        share: of the recordings, in training, validation and test alike; 0 replaces nothing.
        seed: of the draw, which no fold, no seed of the run and no choice of modalities alters.
    """

    share: float = bounded(0.0, most=1)
    seed: int = bounded(0)

    def __post_init__(self) -> None:
        check_settings(self, "replaced")
