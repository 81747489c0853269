"""Videos of one's own, of every awkward kind, around a photograph that matplotlib carries."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from matplotlib import cbook
from matplotlib.image import imread

MILLISECONDS = Fraction(1, 1000)
RATE = 30000 / 1001
EYES, MOUTH = ((222, 214), (302, 216)), (264, 292)  # of the photograph, x and y in pixels


def portrait(scale: float = 0.5) -> np.ndarray:
    """Grace Hopper, 600 pixels high and 512 wide at the scale of 1."""
    image = np.array(imread(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def write_clip(
    path: Path,
    images: Iterable[np.ndarray],
    times: Sequence[float],
    *,
    sound: np.ndarray | None = None,
    turned: int = 0,
) -> Path:
    """Write a video.

    Args:
        path: of any container.
        images: (H, W, 3) uint8 each, with even sides.
        times: seconds at which each is shown.
        sound: (S,) in [-1, 1] at 16 kHz, one channel.
        turned: degrees, counterclockwise, by which a player has to turn it.
    """
    images = iter(images)
    first = next(images)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.height, video.width = first.shape[:2]
        video.pix_fmt, video.codec_context.time_base = "yuv420p", MILLISECONDS
        if turned:
            video.set_display_rotation(turned)
        codec = "aac" if path.suffix == ".mp4" else "pcm_f32le"
        audio = None if sound is None else container.add_stream(codec, rate=16000, layout="mono")
        for image, time in zip(chain([first], images), times, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            frame.pts, frame.time_base = round(time * 1000), MILLISECONDS
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None and sound is not None:
            for start in range(0, len(sound), 1024):
                piece = sound[None, start : start + 1024].astype(np.float32)
                heard = av.AudioFrame.from_ndarray(piece, "flt", "mono")
                heard.sample_rate, heard.pts = 16000, start
                container.mux(audio.encode(heard))
            container.mux(audio.encode())
    return path


def steady(seconds: float = 2.0, rate: float = RATE) -> list[float]:
    """The times of frames that come evenly."""
    return [number / rate for number in range(round(seconds * rate))]


def tone(seconds: float = 4.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(16000 * seconds)) / 16000)


def still_clip(path: Path, image: np.ndarray, *, seconds: float = 2.0, **options: Any) -> Path:
    """Write the same frame for some seconds."""
    times = steady(seconds)
    return write_clip(path, repeat(image, len(times)), times, **options)
