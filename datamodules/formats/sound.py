"""Sound: wav, flac and the like through soundfile, the sound track of anything else by PyAV."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.formats.whole import check_whole
from datamodules.packed.errors import DataError

_BY_SOUNDFILE = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
_UNSTATED = 2**63 - 1  # libsndfile's number of samples where a FLAC file states none
_ROUNDING = 1e-6  # samples: 2.45 s at 44100 Hz are 108045.00000000001 of them


@dataclass(frozen=True)
class Sound:
    """A stretch of sound, mixed down to one channel."""

    samples: np.ndarray  # (S,) float32 in [-1, 1]
    rate: int  # Hz
    channels: int  # of the file


def read_sound(path: Path, *, offset: float, duration: float) -> Sound:
    """Read `duration` seconds from `offset` on, fewer where the file ends.

    A last sample that lies only in part inside the stretch is read too.

    Raises:
        DataError: the file cannot be decoded, is cut off, has no sound, or ends before `offset`.
    """
    check_whole(path)
    by_soundfile = path.suffix.lower() in _BY_SOUNDFILE
    read = _read_soundfile if by_soundfile else _read_container
    samples, rate = read(path, offset, duration)
    if not len(samples):
        raise DataError(
            f"{path}: expected sound after {offset} s, found none; "
            "fetch the file again if it is cut off"
        )
    return Sound(samples.mean(1), rate, samples.shape[1])


def _read_soundfile(path: Path, offset: float, duration: float) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            first, number = _stretch(offset, duration, rate)
            file.seek(min(first, file.frames))
            wanted = min(number, file.frames - file.tell())
            stated = file.frames < _UNSTATED
            samples = file.read(wanted, dtype="float32", always_2d=True)  # (S, ch)
    except soundfile.SoundFileError as error:
        raise DataError(
            f"{path}: expected a readable wav or flac file: {error}; fetch it again"
        ) from error
    if stated and len(samples) < wanted:
        raise DataError(
            f"{path}: expected {wanted} samples of sound, found {len(samples)}: the file is cut "
            "off; fetch it again"
        )
    return samples, rate


def _read_container(path: Path, offset: float, duration: float) -> tuple[np.ndarray, int]:
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DataError(
                    f"{path}: expected a sound track, found none; use the file with sound (01-...)"
                )
            stream = container.streams.audio[0]
            rate = int(stream.rate)
            first, number = _stretch(offset, duration, rate)
            last = first + number
            planar = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            parts, read = [], 0
            for frame in container.decode(stream):
                for piece in planar.resample(frame):
                    parts.append(piece.to_ndarray())  # (ch, S)
                    read += parts[-1].shape[1]
                if read >= last:
                    break
    except (av.FFmpegError, OSError) as error:
        raise DataError(
            f"{path}: expected a readable file with sound: {error}; fetch it again"
        ) from error
    samples = np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), np.float32)
    return np.ascontiguousarray(samples[:, first:last].T), rate


def _stretch(offset: float, duration: float, rate: int) -> tuple[int, int]:
    """First sample of a stretch of time, and how many it takes to cover it."""
    return math.floor(offset * rate + _ROUNDING), math.ceil(duration * rate - _ROUNDING)
