"""A table of action units: one row a clip, `clip` and 35 columns (17 intensities, 18 presences)."""

import csv
from pathlib import Path

import numpy as np

from datamodules.formats.openface import ACTION_UNITS
from datamodules.packed.errors import DataError


def read_action_unit_table(path: Path) -> dict[str, np.ndarray]:
    """Read the whole table.

    Returns:
        Clip name -> (35,) float32 in the order of `ACTION_UNITS`, whatever the table's order is.

    Raises:
        DataError: columns are missing, a clip stands there twice, or a value is no finite number.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a table of action units, found no such file")
    with path.open(newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        missing = [
            name for name in ("clip", *ACTION_UNITS) if name not in (reader.fieldnames or ())
        ]
        if missing:
            raise DataError(
                f"{path}: expected the columns clip and {len(ACTION_UNITS)} action units, "
                f"found no {', '.join(missing)}; export the table again with OpenFace's names"
            )
        table: dict[str, np.ndarray] = {}
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if row["clip"] in table:
                raise DataError(f"{where}: clip {row['clip']} stands there twice; keep one row")
            table[row["clip"]] = _values(row, where)
    return table


def _values(row: dict[str, str], where: str) -> np.ndarray:
    try:
        values = np.array([row[name] for name in ACTION_UNITS], dtype=np.float32)  # (35,)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: expected {len(ACTION_UNITS)} finite numbers: {error}") from error
    if not np.isfinite(values).all():
        raise DataError(
            f"{where}: expected {len(ACTION_UNITS)} finite numbers, found NaN, infinity or a row "
            "that is too short; drop the row"
        )
    return values
