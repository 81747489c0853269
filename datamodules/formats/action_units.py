"""A table of action units: one row a clip, `clip` and 35 columns (17 intensities, 18 presences)."""

from pathlib import Path, PurePath

import numpy as np

from datamodules.formats.openface import ACTION_UNITS
from datamodules.formats.text import read_table
from datamodules.packed.errors import DataError


def read_action_unit_table(path: Path) -> dict[str, np.ndarray]:
    """Read the whole table.

    Returns:
        Clip name, without folder and suffix, -> (35,) float32 in the order of `ACTION_UNITS`,
        whatever the table's order is.

    Raises:
        DataError: columns are missing, a clip stands there twice, or a value is no finite number.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a table of action units, found no such file")
    content = read_table(path)
    missing = [name for name in ("clip", *ACTION_UNITS) if name not in content.columns]
    if missing:
        raise DataError(
            f"{path}: expected the columns clip and {len(ACTION_UNITS)} action units, "
            f"found no {', '.join(missing)}; export the table again with OpenFace's names"
        )
    table: dict[str, np.ndarray] = {}
    for line, row in content.rows:
        where = f"{path}, line {line}"
        clip = PurePath(row["clip"]).name.partition(".")[0]
        if clip in table:
            raise DataError(f"{where}: clip {clip} stands there twice; keep one row")
        table[clip] = _values(row, where)
    return table


def _values(row: dict[str, str], where: str) -> np.ndarray:
    try:
        values = np.array([float(row[name]) for name in ACTION_UNITS])  # (35,)
    except ValueError as error:
        raise DataError(
            f"{where}: expected {len(ACTION_UNITS)} finite numbers: {error}; correct the row or "
            "leave it out of the table"
        ) from error
    if not (np.abs(values) <= np.finfo(np.float32).max).all():  # False for NaN, too
        raise DataError(
            f"{where}: expected {len(ACTION_UNITS)} finite numbers, found NaN, infinity or one "
            "that float32 cannot hold; leave the row out of the table"
        )
    return values.astype(np.float32)
