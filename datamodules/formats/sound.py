"""Sound: wav and flac through soundfile, the sound track of an mp4 through PyAV."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

_FRAME = 2048  # samples by which a container's stated duration may exceed what AAC frames hold


@dataclass(frozen=True)
class Sound:
    """A stretch of sound, mixed down to one channel."""

    samples: np.ndarray  # (S,) float32 in [-1, 1]
    rate: int  # Hz
    channels: int  # of the file


def read_sound(path: Path, *, offset: float, duration: float) -> Sound:
    """Read `duration` seconds from `offset` on, fewer where the file ends.

    Raises:
        DataError: the file cannot be decoded, has no sound, or ends before `offset`.
    """
    read = _read_container if path.suffix.lower() == ".mp4" else _read_soundfile
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
            file.seek(min(int(offset * rate), file.frames))
            wanted = min(int(duration * rate), file.frames - file.tell())
            samples = file.read(wanted, dtype="float32", always_2d=True)  # (S, ch)
    except soundfile.SoundFileError as error:
        raise DataError(f"{path}: expected a readable wav or flac file: {error}") from error
    if len(samples) < wanted:
        raise _cut_off(path, wanted, len(samples))
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
            first, last = int(offset * rate), int(offset * rate) + int(duration * rate)
            declared = int((stream.duration or 0) * (stream.time_base or 0) * rate)
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
            f"{path}: expected a readable video file: {error}; fetch it again"
        ) from error
    if read < min(last, declared - _FRAME):
        raise _cut_off(path, min(last, declared), read)
    samples = np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), np.float32)
    return np.ascontiguousarray(samples[:, first:last].T), rate


def _cut_off(path: Path, expected: int, found: int) -> DataError:
    return DataError(
        f"{path}: expected {expected} samples of sound, found {found}: the file is cut off; "
        "fetch it again"
    )
