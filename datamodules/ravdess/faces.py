"""A frame and its landmarks -> a face crop."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.formats.openface import Tracking
from datamodules.packed.errors import DataError

FRAME_TOLERANCE = 5  # by so many the rows of a csv may differ from the frames of its video


def choose_frames(total: int, frames: int, choice: str) -> list[int]:
    """Numbers of the frames to use, ascending, counted from 0.

    Args:
        total: frames of the clip.
        frames: frames wanted.
        choice: `consecutive` from the middle (section 5.1 of the paper), or `spread` at the times
            k / frames of the clip's length (released code).
    """
    if choice == "spread":
        return [k * total // frames for k in range(frames)]
    first = (total - frames) // 2
    return list(range(first, first + frames))


def check_lengths(tracking: Tracking, total: int, path: Path) -> str:
    """Compare the csv's last frame with the video's.

    Returns:
        A warning where they differ a little, else an empty string.

    Raises:
        DataError: they differ by more than `FRAME_TOLERANCE`.
    """
    last = int(tracking.frame[-1])
    if abs(last - total) > FRAME_TOLERANCE:
        raise DataError(
            f"{path}: expected rows for the {total} frames of its video, found frames up to "
            f"{last}; csv and video are not of one recording, or one is cut off: fetch both again"
        )
    return "" if last == total else f"landmarks for {last} frames, video with {total}"


def face_boxes(
    tracking: Tracking, wanted: Sequence[int], frame: tuple[int, int], path: Path
) -> tuple[np.ndarray, int]:
    """Smallest boxes around the landmarks, cut at the frame's border.

    A frame without a usable face takes the box of the nearest frame that has one.

    Args:
        tracking: what OpenFace saw.
        wanted: frame numbers from 0.
        frame: height and width of the frames, in pixels.
        path: the csv, for messages.

    Returns:
        (F, 4) int: left, top, right, bottom, the last two exclusive; and for how many frames the
        box comes from another frame.

    Raises:
        DataError: no frame has a face inside it.
    """
    height, width = frame
    corners = np.full((len(tracking.frame), 4), 0)
    points = tracking.landmarks[tracking.good]  # (G, 68, 2)
    corners[tracking.good, :2] = np.floor(points.min(1)).clip(0, (width, height))
    corners[tracking.good, 2:] = np.ceil(points.max(1)).clip(0, (width, height))
    usable = (corners[:, 2:] - corners[:, :2] > 1).all(1)
    if not usable.any():
        raise DataError(
            f"{path}: expected a face inside the {width}x{height} picture, found "
            f"{int(tracking.good.sum())} tracked frames, each with an empty box or one outside; "
            "landmarks have to be in pixels of this very video"
        )
    frames = tracking.frame[usable] - 1
    distance = np.abs(np.asarray(wanted)[:, None] - frames)  # (F, U)
    nearest = distance.argmin(1)
    return corners[usable][nearest], int((distance.min(1) > 0).sum())


def crop_face(image: np.ndarray, box: np.ndarray, *, size: int, source: str) -> np.ndarray:
    """Cut a box out and resize it.

    Args:
        image: (H, W, 3) uint8.
        box: (4,) of `face_boxes`.
        size: height and width of the result.
        source: `frame` crops the frame as it is; `squeezed` first shrinks the whole frame to
            size x size, so the crop is enlarged from few pixels (released code).

    Returns:
        (size, size, 3) uint8.
    """
    import cv2

    left, top, right, bottom = box
    if source == "squeezed":
        height, width = image.shape[:2]
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        left, right = left * size // width, -(-right * size // width)
        top, bottom = top * size // height, -(-bottom * size // height)
    face = image[top:bottom, left:right]
    shrinks = face.shape[0] > size and face.shape[1] > size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(face, (size, size), interpolation=method)
