"""What a table's yaml may hold, and what is said when it holds something else."""

from pathlib import Path
from typing import Any

import pytest

from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.tables.progress import time_left
from experiments.tables.table import Table, load_table

QUOTED = "overrides: expected a list of quoted overrides"
GOOD = """
title: A table
folds: [0]
seeds: [1]
metrics: [accuracy]
reference: a
rows:
  - {name: a, overrides: [fusion=msaf], paper: {accuracy: 1.5}}
  - {name: b, paper: {accuracy: 2.5}, note: quoted only}
"""


def load(place: Path, text: str, **changes: Any) -> Table:
    (place / "table").mkdir()
    (place / "table" / "it.yaml").write_text(text)
    return load_table(place, "it", **changes)


def test_rows_words_and_changes(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD, seeds=(4, 5), folds=("cv",))
    assert [row.overrides for row in table.rows] == [("fusion=msaf",), ()]
    jobs = [list(job) for job in table.jobs(table.rows[0], Overrides(["epochs=2"]))]
    assert jobs == [["fusion=msaf", "epochs=2", "fold=cv", f"seed={seed}"] for seed in (4, 5)]
    assert not list(table.jobs(table.rows[1], Overrides()))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("overrides:", "overides:", "row a: no such key overides, did you mean overrides?"),
        ("seeds:", "sedes:", "table it: no such key sedes, did you mean seeds?"),
        (
            "overrides: [fusion=msaf]",
            "overrides: fusion=msaf",
            QUOTED,
        ),
        (
            "overrides: [fusion=msaf]",
            "overrides: [{a: 1}]",
            QUOTED,
        ),
        ("name: b", "name: a", "two rows have the same name"),
        ("reference: a", "reference: c", "no row is named as the reference 'c'"),
        ("folds: [0]", "folds: [cs, cv]", "the folds cs, cv have no mean"),
        ("title: A table\n", "", "title"),
        ("rows:", "row:", "rows"),
        ("folds: [0]", "folds: [0", "expected"),
    ],
)
def test_other_content_is_refused_in_one_message(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(RunError) as refused:
        load(tmp_path, GOOD.replace(old, new))
    assert message in str(refused.value) and "it.yaml: " in str(refused.value)


def test_rows_of_another_table(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD)
    (tmp_path / "table" / "other.yaml").write_text(
        GOOD[: GOOD.index("rows:")].replace("A table", "Another") + "rows: it"
    )
    other = load_table(tmp_path, "other")
    assert other.rows == first.rows and other.title == "Another"
    (tmp_path / "table" / "it.yaml").unlink()
    with pytest.raises(RunError, match="table=it: no such table; there are other"):
        load_table(tmp_path, "other")


def test_the_time_left_goes_by_the_pace_so_far() -> None:
    assert time_left(60, 3, 9) == "about 0:03:00 left"
    assert time_left(60, 0, 9) == "" == time_left(60, 9, 0)
