from pathlib import Path

import numpy as np
import pytest

from datamodules.formats.action_units import read_action_unit_table
from datamodules.formats.openface import ACTION_UNITS
from datamodules.packed.errors import DataError
from tests.sample_data import REAL_DATA, needs_real_data


def write(path: Path, names: list[str], rows: list[list[object]]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n")
    return path


def test_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    names = ["clip", *reversed(ACTION_UNITS)]
    path = write(tmp_path / "au.csv", names, [["a", *range(35)], ["b", *range(35, 70)]])
    table = read_action_unit_table(path)
    assert table["a"].tolist() == list(range(34, -1, -1))
    assert table["b"].dtype == np.float32
    assert len(ACTION_UNITS) == 35


@pytest.mark.parametrize(
    ("names", "rows", "says"),
    [
        (["clip", *ACTION_UNITS[1:]], [], "found no AU01_r"),
        (["clip", *ACTION_UNITS], [["a", *[1] * 35]] * 2, "line 3: clip a stands there twice"),
        (["clip", *ACTION_UNITS], [["a", *[1] * 34, "x"]], "line 2: expected 35 finite numbers"),
        (["clip", *ACTION_UNITS], [["a", *[1] * 20]], "line 2: expected 35 finite numbers"),
        (["clip", *ACTION_UNITS], [["a", *[1] * 34, "nan"]], "line 2: expected 35 finite numbers"),
    ],
)
def test_bad_tables(tmp_path: Path, names: list[str], rows: list[list[object]], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_action_unit_table(write(tmp_path / "au.csv", names, rows))


@pytest.mark.real
@needs_real_data
def test_real_table() -> None:
    table = read_action_unit_table(REAL_DATA / "ravdess_action_units.csv")
    assert len(table) == 1440
    values = np.stack(list(table.values()))
    assert 0 <= values.min() <= values[:, :17].max() <= 5
    assert values[:, 17:].max() <= 1
