"""Writes what a recording and its tracking are made of: an mp4 and an OpenFace csv."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.formats.openface import ACTION_UNITS, LANDMARKS


def write_mp4(path: Path, images: np.ndarray, fps: int, samples: np.ndarray, rate: int) -> None:
    """Write H.264 frames and an AAC sound track: the same bytes each time from the same arrays.

    Args:
        path: the file.
        images: (T, H, W, 3) uint8 RGB, even height and width.
        fps: frames a second.
        samples: (S,) float32 in [-1, 1], or no samples for a file without sound.
        rate: of the sound, in Hz.
    """
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.height, video.width = images.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.options = {
            "crf": "24",
            "preset": "veryfast",
            "threads": "1",
            # x264's AVX-512 rate control depends on what the memory past a row of blocks holds
            "x264-params": "cpu-independent=1",
        }
        audio = container.add_stream("aac", rate=rate, layout="mono") if len(samples) else None
        if audio is not None:
            audio.bit_rate = 64_000
            audio.options = {"aac_coder": "fast"}
        for image in images:
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        if audio is not None:
            frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0  # from 0 on, the encoder's delay is taken out
            container.mux(audio.encode(frame))
            container.mux(audio.encode())


def write_tracking(
    path: Path,
    fps: int,
    confidence: np.ndarray,
    points: np.ndarray,
    action_units: np.ndarray,
) -> None:
    """Write one csv with the columns that are read, named as OpenFace does (leading blanks).

    Args:
        path: the file.
        fps: frames a second.
        confidence: (T,) 0 to 1; rows with 0 count as not tracked.
        points: (T, 68, 2) in pixels.
        action_units: (T, 35) in the order of `ACTION_UNITS`.
    """
    names = ["frame", "face_id", "timestamp", "confidence", "success"]
    names += [f"{axis}_{i}" for axis in "xy" for i in range(LANDMARKS)] + list(ACTION_UNITS)
    number = np.arange(1, len(points) + 1)
    columns: Sequence[np.ndarray] = (
        number[:, None],
        np.zeros((len(points), 1)),
        (number[:, None] - 1) / fps,
        confidence[:, None],
        confidence[:, None] > 0,
        points.transpose(0, 2, 1).reshape(len(points), -1),
        action_units,
    )
    counts = ["%d", "%d", "%.3f", "%.3f", "%d"] + ["%.1f"] * 2 * LANDMARKS
    np.savetxt(
        path,
        np.hstack(columns),
        fmt=counts + ["%.2f"] * len(ACTION_UNITS),
        delimiter=", ",
        header=", ".join(names),
        comments="",
    )
