"""OpenFace facial tracking: one csv a clip, one row a frame, 712 columns (Baltrusaitis 2018).

Columns are found by name, which older OpenFace versions write with a leading blank. Only those that
are asked for have to be there and get parsed: `FeatureExtraction -aus` writes no landmarks,
`-2Dfp` no action units. Landmarks are pixels of the tracked video; `frame` counts from 1.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.formats.text import read_utf8, separator
from datamodules.packed.errors import DataError

LANDMARKS = 68
_INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
_PRESENCES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
ACTION_UNITS = (
    *(f"AU{number:02d}_r" for number in _INTENSITIES),  # 0 to 5
    *(f"AU{number:02d}_c" for number in _PRESENCES),  # 0 or 1
)
_ROW = ("frame", "confidence", "success")
_MOST_FRAMES = 2**31  # what no video has
_POSITIONS = tuple(f"{axis}_{i}" for axis in "xy" for i in range(LANDMARKS))


@dataclass(frozen=True)
class Tracking:
    """What OpenFace saw in one clip, R rows in the order of the frames."""

    frame: np.ndarray  # (R,) int, counts from 1
    good: np.ndarray  # (R,) bool: tracked, confidence above 0, and every value asked for is finite
    landmarks: np.ndarray  # (R, 68, 2) x and y in pixels; (R, 0, 2) where not asked for
    action_units: np.ndarray  # (R, 35); (R, 0) where not asked for


def read_tracking(path: Path, *, landmarks: bool = False, action_units: bool = False) -> Tracking:
    """Read one facial-tracking csv.

    Args:
        path: the file.
        landmarks: read the 68 landmarks.
        action_units: read the 35 action units.

    Raises:
        DataError: columns that are asked for are missing, the file is not UTF-8, has no rows, or a
            row is not made of numbers.
    """
    # "-nan(ind)" is what OpenFace prints on Windows
    header, _, body = read_utf8(path).replace("-nan(ind)", "nan").partition("\n")
    mark = separator(header)
    columns = {name.strip(): index for index, name in enumerate(header.split(mark))}
    parts = {
        "frame, confidence, success": _ROW,
        "x_0..x_67, y_0..y_67": _POSITIONS if landmarks else (),
        "AU01_r..AU45_r, AU01_c..AU45_c": ACTION_UNITS if action_units else (),
    }
    names = [name for part in parts.values() for name in part]
    missing = [name for name in names if name not in columns]
    if missing:
        listed = ", ".join(missing[:6]) + (" ..." if len(missing) > 6 else "")
        wanted = ", ".join(title for title, part in parts.items() if part)
        raise DataError(
            f"{path}: expected OpenFace's columns {wanted}, found {len(columns)} columns without "
            f"{listed}; track the video again with them"
        )
    values = _parse(path, body, [columns[name] for name in names], mark)  # (R, 3 [+ 136] [+ 35])
    values = values[np.lexsort((-values[:, 1], values[:, 0]))]
    # several faces in one frame: the most certain one counts
    values = values[np.unique(values[:, 0], return_index=True)[1]]
    row, points, units = np.split(values, np.cumsum([len(part) for part in parts.values()][:2]), 1)
    return Tracking(
        frame=row[:, 0].astype(np.int64),
        good=(row[:, 1] > 0) & (row[:, 2] > 0) & np.isfinite(values[:, len(_ROW) :]).all(1),
        landmarks=points.reshape(len(row), 2, -1).transpose(0, 2, 1),
        action_units=units,
    )


def columns_of(path: Path) -> frozenset[str]:
    """Which of `landmarks` and `action_units` a facial-tracking csv has, by its header.

    A file that cannot be opened, or whose header is no text in UTF-8, has none; who reads the whole
    file is told more.
    """
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8-sig", "replace")
    except OSError:
        return frozenset()
    names = {name.strip() for name in header.split(separator(header))}
    kinds = {"landmarks": _POSITIONS, "action_units": ACTION_UNITS}
    return frozenset(kind for kind, needed in kinds.items() if names.issuperset(needed))


def _parse(path: Path, body: str, columns: list[int], mark: str) -> np.ndarray:
    if not body.strip():
        raise DataError(f"{path}: expected one row a frame, found none; track the video again")
    try:
        values = np.loadtxt(io.StringIO(body), delimiter=mark, usecols=columns, ndmin=2)
    except ValueError as error:
        raise DataError(
            f"{path}: expected rows of numbers: {error}; fetch the file or track the video again"
        ) from error
    frames = values[:, 0]
    if not (np.isfinite(frames) & (np.abs(frames) < _MOST_FRAMES)).all():
        raise DataError(
            f"{path}: expected the number of a frame in the column frame of every row, found "
            f"{frames[~(np.abs(frames) < _MOST_FRAMES)][0]}; track the video again"
        )
    return values


def mean_action_units(tracking: Tracking, path: Path) -> np.ndarray:
    """Mean over the tracked frames, (35,) float32.

    Raises:
        DataError: no frame was tracked, or a mean is larger than float32 holds.
    """
    rows = tracking.action_units[tracking.good]
    if not len(rows):
        raise DataError(
            f"{path}: expected a tracked face, found no frame with success = 1 and finite action "
            "units; track the video again, or leave the clip out"
        )
    means = rows.mean(0)
    if np.abs(means).max() > np.finfo(np.float32).max:
        raise DataError(
            f"{path}: expected action units from 0 to 5, found {means[np.abs(means).argmax()]:g}; "
            "track the video again"
        )
    return means.astype(np.float32)
