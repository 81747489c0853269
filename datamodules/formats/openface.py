"""OpenFace facial tracking: one csv a clip, one row a frame, 712 columns (Baltrusaitis 2018).

Columns are found by name, which older OpenFace versions write with a leading blank. Only those that
are used get parsed. Landmarks are pixels of the tracked video; `frame` counts from 1.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

LANDMARKS = 68
_INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
_PRESENCES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
ACTION_UNITS = (
    *(f"AU{number:02d}_r" for number in _INTENSITIES),  # 0 to 5
    *(f"AU{number:02d}_c" for number in _PRESENCES),  # 0 or 1
)
_POSITIONS = tuple(f"{axis}_{i}" for axis in "xy" for i in range(LANDMARKS))


@dataclass(frozen=True)
class Tracking:
    """What OpenFace saw in one clip, R rows in the order of the frames."""

    frame: np.ndarray  # (R,) int, counts from 1
    good: np.ndarray  # (R,) bool: tracked, confidence above 0 and every landmark finite
    landmarks: np.ndarray  # (R, 68, 2) x and y in pixels
    action_units: np.ndarray  # (R, 35), or (R, 0) where the file has none


def read_tracking(path: Path) -> Tracking:
    """Read one facial-tracking csv.

    Raises:
        DataError: columns are missing, the file has no rows, or a row is not made of numbers.
    """
    # "-nan(ind)" is what OpenFace prints on Windows
    header, _, body = path.read_text().replace("-nan(ind)", "nan").partition("\n")
    columns = {name.strip(): index for index, name in enumerate(header.split(","))}
    units = ACTION_UNITS if ACTION_UNITS[0] in columns else ()
    names = ("frame", "confidence", "success", *_POSITIONS, *units)
    missing = [name for name in names if name not in columns]
    if missing:
        listed = ", ".join(missing[:6]) + (" ..." if len(missing) > 6 else "")
        raise DataError(
            f"{path}: expected OpenFace's columns frame, confidence, success, x_0..x_67, "
            f"y_0..y_67, found {len(columns)} columns without {listed}; "
            "track the video again with 2D landmarks"
        )
    values = _parse(path, body, [columns[name] for name in names])  # (R, 3 + 136 + 35)
    values = values[np.lexsort((-values[:, 1], values[:, 0]))]
    # several faces in one frame: the most certain one counts
    values = values[np.unique(values[:, 0], return_index=True)[1]]
    positions = values[:, 3 : 3 + 2 * LANDMARKS].reshape(-1, 2, LANDMARKS).transpose(0, 2, 1)
    return Tracking(
        frame=values[:, 0].astype(np.int64),
        good=(values[:, 1] > 0) & (values[:, 2] > 0) & np.isfinite(positions).all((1, 2)),
        landmarks=positions,
        action_units=values[:, 3 + 2 * LANDMARKS :],
    )


def has_action_units(path: Path) -> bool:
    """Whether a facial-tracking csv has action units besides the landmarks."""
    with path.open() as file:
        return set(ACTION_UNITS) <= {name.strip() for name in file.readline().split(",")}


def _parse(path: Path, body: str, columns: list[int]) -> np.ndarray:
    if not body.strip():
        raise DataError(f"{path}: expected one row a frame, found none; track the video again")
    try:
        values = np.loadtxt(io.StringIO(body), delimiter=",", usecols=columns, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: expected rows of numbers: {error}") from error
    if not np.isfinite(values[:, 0]).all():
        raise DataError(f"{path}: expected a number in the column frame of every row, found NaN")
    return values


def mean_action_units(tracking: Tracking, path: Path) -> np.ndarray:
    """Mean over the tracked frames, (35,) float32.

    Raises:
        DataError: the file has no action units, or no frame was tracked.
    """
    if not tracking.action_units.shape[1]:
        raise DataError(f"{path}: expected the columns AU01_r .. AU45_c, found none of them")
    rows = tracking.action_units[tracking.good & np.isfinite(tracking.action_units).all(1)]
    if not len(rows):
        raise DataError(f"{path}: expected a tracked face, found no frame with success = 1")
    return rows.mean(0).astype(np.float32)
