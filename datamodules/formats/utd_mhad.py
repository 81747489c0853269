"""UTD-MHAD's `.mat` files: MATLAB 5, with one array each.

Legend: T frames, N samples of the sensor, H height, W width.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

JOINTS = 20
SPINE = 2  # the joint in the middle of the spine
CHANNELS = 6  # acceleration in g, angular velocity in degrees a second; x, y, z each
FRAME = (240, 320)  # H, W as published
HALF = (120, 160)  # every second row and column
_LARGEST = 1e6  # of any unit here; beyond it nothing was measured
_HDF5 = (b"MATLAB 7.3", b"\x89HDF\r\n\x1a\n")  # MATLAB's own, and h5py's or Octave's
_AGAIN = "fetch the file again, or move it out of the folder"
Size = int | None  # of an axis; `None` is any


def read_joints(path: Path) -> np.ndarray:
    """Read `d_skel`: (20, 3, T) float32 in meters before the camera, in Kinect v1's order.

    Raises:
        DataError: as `read_array` says.
    """
    return read_array(path, "d_skel", [(JOINTS, 3, None)]).astype(np.float32)


def read_inertial(path: Path) -> np.ndarray:
    """Read `d_iner`: (N, 6) float32, acceleration in g and angular velocity in degrees a second.

    Raises:
        DataError: as `read_array` says.
    """
    return read_array(path, "d_iner", [(None, CHANNELS)]).astype(np.float32)


def read_depth(path: Path) -> np.ndarray:
    """Read `d_depth`: (120, 160, T) int16 in millimeters, 0 where there is no body.

    Of the published frames of 240 x 320 every second row and column is taken.

    Raises:
        DataError: as `read_array` says, or a distance is negative, beyond 32 meters or no whole
            number.
    """
    frames = read_array(path, "d_depth", [(*FRAME, None), (*HALF, None)])
    if frames.min() < 0 or frames.max() > np.iinfo(np.int16).max:
        raise DataError(
            f"{path}: expected millimeters from 0 to {np.iinfo(np.int16).max}, found "
            f"{frames.min()} to {frames.max()}; {_AGAIN}"
        )
    if frames.dtype.kind == "f" and (frames != np.rint(frames)).any():
        raise DataError(
            f"{path}: expected whole millimeters, found fractions, as of meters (the largest is "
            f"{frames.max():g}); {_AGAIN}"
        )
    step = frames.shape[0] // HALF[0]
    return frames[::step, ::step].astype(np.int16)


def read_array(path: Path, key: str, shapes: Sequence[tuple[Size, ...]]) -> np.ndarray:
    """Read one array of finite numbers; its shape is known before it is unpacked.

    Args:
        path: the file.
        key: the array's name in it.
        shapes: those that it may have; at least two steps where any size is allowed.

    Raises:
        DataError: no such file, it is no MATLAB 5 file, it lacks the key, the array has another
            shape or is no array of numbers, or a number is not finite.
    """
    from scipy.io import loadmat, whosmat

    _check_kind(path)
    try:
        there = {name: shape for name, shape, _ in whosmat(path)}
        if key in there and _allowed(there[key], shapes):
            array = loadmat(path, variable_names=[key])[key]
    except MemoryError:
        raise
    except Exception as error:  # whatever scipy stumbles over: it has many names for damage
        raise DataError(
            f"{path}: expected a MATLAB 5 file, found none, or damage ({type(error).__name__}: "
            f"{error}); {_AGAIN}"
        ) from error
    if key not in there:
        found = ", ".join(there) or "nothing"
        raise DataError(f"{path}: expected the array {key}, found {found}; {_AGAIN}")
    if not _allowed(there[key], shapes):
        raise DataError(
            f"{path}: expected {key} of {' or '.join(map(_said, shapes))}, found "
            f"{_said(there[key])}; {_AGAIN}"
        )
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = array.dtype if isinstance(array, np.ndarray) else "a sparse array"
        raise DataError(f"{path}: expected a full array {key} of numbers, found {kind}; {_AGAIN}")
    if not (np.abs(array.astype(np.float64)) <= _LARGEST).all():  # False for NaN, too
        raise DataError(
            f"{path}: expected finite numbers in {key}, found NaN, infinity or one beyond "
            f"{_LARGEST:.0f}; {_AGAIN}"
        )
    return array


def _check_kind(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(f"{path}: expected a readable file: {error}; {_AGAIN}") from error
    if head.startswith(_HDF5):
        raise DataError(
            f"{path}: expected a MATLAB 5 file, found version 7.3 (HDF5); save it again with "
            "MATLAB's save -v7"
        )


def _allowed(shape: tuple[int, ...], shapes: Sequence[tuple[Size, ...]]) -> bool:
    return any(
        len(shape) == len(wanted)
        and all(a >= 2 if b is None else a == b for a, b in zip(shape, wanted, strict=True))
        for wanted in shapes
    )


def _said(shape: Sequence[Size]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape)
