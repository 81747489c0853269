"""One UTD-MHAD recording -> its arrays: the work of one recording, run in a worker process.

Legend: T frames, N samples of the sensor, F frames packed, S the size of a packed frame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.formats.utd_mhad import read_depth, read_inertial, read_joints
from datamodules.packed.chunks import Prepared
from datamodules.packed.dataset import LENGTH
from datamodules.packed.errors import DataError, reading
from datamodules.packed.settings import check_settings

_MARGIN = 1.25  # side of the square that is packed: so many times that of the one around the body


@dataclass(frozen=True)
class UtdMhadSettings:
    """The settings that act in prepare; both on the depth video alone.

    Args:
        frames: number of frames packed of a depth video, each the middle one of its part.
        size: height and width of a packed depth frame.
    """

    frames: int = 32
    size: int = 40

    def __post_init__(self) -> None:
        check_settings(self)


def length_of(modality: str) -> str:
    """Return the name of the array with the steps that each recording has, before its padding."""
    return f"{modality}{LENGTH}"


@dataclass(frozen=True)
class PrepareRecording:
    """Recording -> arrays. Callable and picklable, so that worker processes can have it."""

    raw: Path
    settings: UtdMhadSettings

    def __call__(self, files: Mapping[str, Path]) -> Prepared:
        """Read and transform one recording.

        Args:
            files: modality -> its file.

        Raises:
            DataError: a file of it is not usable; the message has paths relative to `raw`.
        """
        work: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
            "skeleton": skeleton_arrays,
            "inertial": inertial_arrays,
            "depth": lambda path: {"depth": depth_video(path, self.settings)},
        }
        arrays: dict[str, np.ndarray] = {}
        try:
            for modality, path in files.items():
                with reading(path):
                    arrays |= work[modality](path)
        except DataError as error:
            raise DataError(str(error).replace(f"{self.raw}/", "")) from error
        return Prepared(arrays)


def skeleton_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read (3, T, 20, 1) float32 in meters, as the file has them, and their number of frames."""
    joints = read_joints(path)  # (20, 3, T)
    skeleton = np.ascontiguousarray(joints.transpose(1, 2, 0)[..., None])
    return {"skeleton": skeleton, length_of("skeleton"): _length(skeleton)}


def inertial_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read (6, N) float32 in g and degrees a second, and their number of samples."""
    inertial = np.ascontiguousarray(read_inertial(path).T)
    return {"inertial": inertial, length_of("inertial"): _length(inertial)}


def _length(array: np.ndarray) -> np.ndarray:
    return np.array(array.shape[1], np.int32)


def depth_video(path: Path, settings: UtdMhadSettings) -> np.ndarray:
    """Read (F, S, S) int16 in millimeters, background 0: exact, no value is averaged or rounded.

    A square around the body in all of the video, with a margin, is taken at every S-th of its
    side: the nearest pixel. Beyond the frame there is background.

    Raises:
        DataError: as `read_depth` says, or no frame shows a body.
    """
    frames = read_depth(path)  # (H, W, T)
    total = frames.shape[2]
    wanted = [(2 * k + 1) * total // (2 * settings.frames) for k in range(settings.frames)]
    body = frames.max(2) > 0
    if not body.any():
        raise DataError(f"{path}: expected a body in the depth video, found background alone")
    rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
    side = _MARGIN * (1 + max(rows[-1] - rows[0], columns[-1] - columns[0]))
    steps = ((np.arange(settings.size) + 0.5) / settings.size - 0.5) * side
    video = frames[:, :, wanted].transpose(2, 0, 1)  # (F, H, W)
    for axis, there in ((1, rows), (2, columns)):
        places = np.round((there[0] + there[-1]) / 2 + steps).astype(int)
        inside = (places >= 0) & (places < video.shape[axis])
        video = video.take(places.clip(0, video.shape[axis] - 1), axis)
        video = video * np.expand_dims(inside, [a for a in (0, 1, 2) if a != axis])
    return np.ascontiguousarray(video, dtype=np.int16)
