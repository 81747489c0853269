"""The settings of NTU's batches, grouped by what they act on: frames, skeletons, or both."""

from dataclasses import dataclass
from typing import Literal

from datamodules.packed.settings import bounded, check_settings

Normalisation = Literal["first_spine", "first_spine_of_present", "none"]


@dataclass(frozen=True)
class NtuVideo:
    """What acts on the frames alone.

    Args:
        frames: handed on; 32 for I3D, 8 for the ResNet.
        size: height and width of the frames handed on.
        crop: height and width of the crop as a part of the frame's.
        crop_place: `random`, or the `centre` (released code).
        channel_order: `bgr` normalises blue-first frames by red-first statistics (released code).
    """

    frames: int = 32
    size: int = 224
    crop: float = bounded(0.875, least=0.1, most=1)  # 224 of 256 pixels
    crop_place: Literal["random", "centre"] = "random"
    channel_order: Literal["rgb", "bgr"] = "rgb"

    def __post_init__(self) -> None:
        check_settings(self, "video")


@dataclass(frozen=True)
class NtuSkeleton:
    """What acts on the skeletons alone.

    Args:
        frames: handed on.
        normalisation: the step that centres skeletons, among `augmentation.NORMALISATIONS`.
    """

    frames: int = 32
    normalisation: Normalisation = "first_spine"

    def __post_init__(self) -> None:
        check_settings(self, "skeleton")


@dataclass(frozen=True)
class NtuWindows:
    """What acts on both streams, or on one of them whichever it is: windows in time and the flip.

    Args:
        probability: that a clip is cut to a window; 1 in the released code.
        shortest: its least length as a part of the clip; 0.5 in the released code.
        kind: `shared`: one window, anywhere in the clip, for both streams; `separate`: each has
            its own, and the video's lies in the middle (released code).
        least_frames: a window is at least so many of the skeleton file's frames long. It acts on
            a shared window of the video too, also where the video is used alone; the packed set
            has to hold skeletons.
        flip: probability that the clip is mirrored, frames and skeleton alike; 0 in the released
            code.
    """

    probability: float = bounded(0.5, most=1)
    shortest: float = bounded(0.5, most=1)
    kind: Literal["shared", "separate"] = "shared"
    least_frames: int = bounded(0)
    flip: float = bounded(0.0, most=1)

    def __post_init__(self) -> None:
        check_settings(self, "windows")
