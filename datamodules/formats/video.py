"""Video through PyAV, which brings its own FFmpeg."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datamodules.formats.whole import check_whole
from datamodules.packed.errors import DataError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".m4v")  # of files that are read as video

Change = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Track:
    """What a video file shows."""

    frames: int  # that can be decoded
    height: int  # in pixels, of a frame that stands upright
    width: int


def look_at(path: Path) -> Track:
    """Number and size of the frames that can be decoded.

    The number that a container states is a hint alone: writers count empty packets and frames that
    an edit list leaves out, or state none. Where it is that of the packets that hold a frame, it is
    taken; anything else is decided by decoding once.

    Raises:
        DataError: the file cannot be opened or decoded, has no picture track, or is cut off.
    """
    import av

    check_whole(path)
    try:
        with av.open(str(path)) as container:
            stream = _video_track(path, container)
            stated, size = stream.frames, (stream.height, stream.width)
            packets = [p.is_discard for p in container.demux(stream) if p.size]
        with av.open(str(path)) as container:
            decoded = container.decode(_video_track(path, container))
            first = next(decoded, None)
            frames = packets.count(False)
            if stated != len(packets):
                frames = (first is not None) + sum(1 for _ in decoded)
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    return Track(frames, *(size[::-1] if first is not None and _turns(first) % 2 else size))


def frame_times(path: Path) -> np.ndarray:
    """When each frame is shown, (F,) ascending seconds from the first one; NaN where not stated.

    Raises:
        DataError: as `look_at` says.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = _video_track(path, container)
            shown = [p for p in container.demux(stream) if p.size and not p.is_discard]
            times = [np.nan if p.pts is None else float(p.pts * p.time_base) for p in shown]
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    found = np.sort(np.array(times))
    return found - found[:1]


def read_frames(path: Path, wanted: Sequence[int], *, change: Change | None = None) -> np.ndarray:
    """Decode once, in order, up to the last wanted frame; convert only the wanted ones.

    Args:
        path: the video.
        wanted: frame numbers from 0, ascending; one may stand there several times.
        change: done to each frame (H, W, 3) at once, upright and with its number, so that large
            ones never lie in memory together.

    Returns:
        (len(wanted), H, W, 3) uint8 RGB, or what `change` makes of it.

    Raises:
        DataError: the file cannot be decoded, has no picture track, or ends before the last wanted
            frame.
    """
    import av

    images: dict[int, np.ndarray] = {}
    needed, decoded = set(wanted), 0
    try:
        with av.open(str(path)) as container:
            for decoded, frame in enumerate(container.decode(_video_track(path, container)), 1):
                number = decoded - 1
                if number in needed:
                    image = np.rot90(frame.to_ndarray(format="rgb24"), _turns(frame))
                    images[number] = image if change is None else change(image, number)
                if number == wanted[-1]:
                    break
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    if len(images) < len(needed):
        raise DataError(
            f"{path}: expected at least {wanted[-1] + 1} frames, found {decoded} that can be "
            "decoded; convert the file anew, or fetch it again"
        )
    return np.stack([images[number] for number in wanted])


def _video_track(path: Path, container: "InputContainer") -> "VideoStream":
    if not container.streams.video:
        raise DataError(f"{path}: expected a picture track, found none; fetch the file again")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # clips are decoded in parallel, not frames
    return stream


def _turns(frame: "VideoFrame") -> int:
    """Quarter turns to the left by which a frame has to be turned, as telephones state it."""
    return round(frame.rotation / 90)


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: expected a readable video file: {error}; fetch it again")
