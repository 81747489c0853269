"""Video through PyAV, which brings its own FFmpeg."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datamodules.packed.errors import DataError

if TYPE_CHECKING:
    from av.video.stream import VideoStream


def count_frames(path: Path) -> int:
    """Number of frames that the container states; nothing is decoded.

    Raises:
        DataError: the file cannot be opened or has no frames.
    """
    import av

    try:
        with av.open(str(path)) as container:
            return _video_track(path, container.streams.video).frames
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error


def read_frames(
    path: Path, wanted: Sequence[int], *, change: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """Decode once, in order, up to the last wanted frame; convert only the wanted ones.

    Args:
        path: the video.
        wanted: frame numbers from 0, ascending; one may stand there several times.
        change: done to each frame (H, W, 3) at once, so that large ones never lie in memory
            together.

    Returns:
        (len(wanted), H, W, 3) uint8 RGB, or what `change` makes of it.

    Raises:
        DataError: the file cannot be decoded, has no frames, or ends before the last wanted frame.
    """
    import av

    images: dict[int, np.ndarray] = {}
    needed, number = set(wanted), 0
    try:
        with av.open(str(path)) as container:
            stream = _video_track(path, container.streams.video)
            stream.codec_context.thread_count = 1  # clips are decoded in parallel, not frames
            for number, frame in enumerate(container.decode(stream)):
                if number in needed:
                    image = frame.to_ndarray(format="rgb24")
                    images[number] = image if change is None else change(image)
                if number == wanted[-1]:
                    break
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    if len(images) < len(needed):
        raise DataError(
            f"{path}: expected at least {wanted[-1] + 1} frames, found {number + 1}: the file is "
            "cut off; fetch it again"
        )
    return np.stack([images[number] for number in wanted])


def _video_track(path: Path, streams: "Sequence[VideoStream]") -> "VideoStream":
    if not streams:
        raise DataError(f"{path}: expected a picture track, found none; fetch the file again")
    return streams[0]


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: expected a readable video file: {error}; fetch it again")
