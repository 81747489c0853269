"""One NTU RGB+D sample -> its arrays: the work of one sample, run in a worker process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from datamodules.formats.skeleton import read_skeleton
from datamodules.formats.video import look_at, read_frames
from datamodules.ntu.bodies import by_motion, in_file_order
from datamodules.packed.chunks import Prepared
from datamodules.packed.errors import DataError, reading
from datamodules.packed.settings import check_settings

LENGTH = "skeleton_length"  # the array with the frames that each skeleton has, before its padding


@dataclass(frozen=True)
class NtuSettings:
    """The settings that act in prepare.

    Args:
        frames: number of frames packed of a clip, spread over it.
        size: height and width of a frame.
        shape: `squeeze` the whole frame into the square (released code), or `crop` its middle.
        last_frame: `shown`: each frame is the middle one of its part of the clip; `black`: the
            frames are spread from the first on to the one behind the last, which is not there and
            stays black (released code).
        bodies: which two bodies are the persons: those that move most by their `motion` over the
            clip, or the first two of each frame in `file_order` (released code).
        listed_skeletons: what becomes of samples in the list of missing skeletons, and of those
            whose file shows no body at all: `drop` both; or `mark` the listed ones in the index, so
            that they train but are not evaluated, and pack skeletons without a body as zeros
            (released code).
    """

    frames: int = 32
    size: int = 128
    shape: Literal["squeeze", "crop"] = "squeeze"
    last_frame: Literal["shown", "black"] = "shown"
    bodies: Literal["motion", "file_order"] = "motion"
    listed_skeletons: Literal["drop", "mark"] = "drop"

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Sample:
    """The files that one sample is made from; `None` where its modality is not packed."""

    video: Path | None
    skeleton: Path | None


@dataclass(frozen=True)
class PrepareSample:
    """Sample -> arrays. Callable and picklable, so that worker processes can have it."""

    raw: Path | None
    settings: NtuSettings

    def __call__(self, sample: Sample) -> Prepared:
        """Read, decode and transform one sample.

        Raises:
            DataError: a file of it is not usable; the message has paths relative to `raw`, where
                there is one.
        """
        prepared = Prepared({})
        try:
            if sample.skeleton is not None:  # the cheap one first: it may drop the sample
                with reading(sample.skeleton):
                    self._skeleton(sample.skeleton, prepared)
            if sample.video is not None:
                with reading(sample.video):
                    self._video(sample.video, prepared)
        except DataError as error:
            if self.raw is None:
                raise
            raise DataError(str(error).replace(f"{self.raw}/", "")) from error
        return prepared

    def _skeleton(self, path: Path, prepared: Prepared) -> None:
        bodies = read_skeleton(path)
        nobody = not len(bodies.id)
        if nobody and self.settings.listed_skeletons == "drop":
            raise DataError(f"{path}: expected at least one body, found none in any frame")
        broken = ~np.isfinite(bodies.joints)
        bodies.joints[broken] = 0
        choose = by_motion if self.settings.bodies == "motion" else in_file_order
        persons, left_out = choose(bodies)
        if not len(persons):  # a frame of nobody, so that there is something to look at
            persons = np.zeros((1, *persons.shape[1:]), persons.dtype)
        prepared.arrays["skeleton"] = np.ascontiguousarray(persons.transpose(3, 0, 2, 1))
        prepared.arrays[LENGTH] = np.array(bodies.frames, np.int32)
        prepared.marks.extend(["without_bodies"] * nobody)
        prepared.marks.extend(["bodies_left_out"] * (left_out > 0))
        prepared.marks.extend(["not_finite_joints"] * bool(broken.any()))

    def _video(self, path: Path, prepared: Prepared) -> None:
        shown = self.frames_of(path, look_at(path).frames)
        if not len(shown):
            raise DataError(f"{path}: expected a video with frames, found none; fetch it again")
        size = self.settings.size
        wanted = choose_frames(len(shown), self.settings.frames, self.settings.last_frame)
        there = [shown[place] for place in wanted if place < len(shown)]
        video = np.zeros((len(wanted), size, size, 3), np.uint8)
        video[: len(there)] = read_frames(path, there, change=self.fit)
        prepared.arrays["video"] = video

    def frames_of(self, path: Path, total: int) -> Sequence[int]:
        """Return the numbers of the frames to choose from; those of a data set come evenly."""
        return range(total)

    def fit(self, image: np.ndarray, number: int) -> np.ndarray:
        """Bring a frame (H, W, 3) to (size, size, 3)."""
        import cv2

        if self.settings.shape == "crop":
            height, width = image.shape[:2]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            image = image[top : top + side, left : left + side]
        size = self.settings.size
        height, width = image.shape[:2]
        # whole factors are quick to average, and what is left is small: twice as fast for 1080p
        most = min(height, width) // (2 * size)
        factor = next((f for f in range(most, 1, -1) if not (height % f or width % f)), 1)
        if factor > 1:
            image = cv2.resize(
                image, (width // factor, height // factor), interpolation=cv2.INTER_AREA
            )
        method = cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_LINEAR
        return cv2.resize(image, (size, size), interpolation=method)


def choose_frames(total: int, frames: int, last_frame: str) -> list[int]:
    """Numbers of the frames to use, ascending, counted from 0.

    Args:
        total: number of frames of the clip.
        frames: number of frames wanted.
        last_frame: see `NtuSettings`; with `black` the last number is `total`, which is not there.
    """
    if last_frame == "black":
        return [k * total // max(frames - 1, 1) for k in range(frames)]
    return [(2 * k + 1) * total // (2 * frames) for k in range(frames)]
