from collections import Counter

import numpy as np
import pytest

from datamodules.formats.utd_mhad_name import parse_recording_name
from datamodules.packed.errors import DataError
from datamodules.utd_mhad.folds import split_rows, subjects_of
from tests.utd_mhad_data import all_names

EVERY = [1, 2, 3, 4, 5, 6, 7, 8]
COUNTS = {1: 107, 2: 108, 3: 108, 4: 108, 5: 108, 6: 107, 7: 108, 8: 107}  # counted by hand


@pytest.fixture(scope="module")
def of_rows() -> np.ndarray:
    """The subject of each of the 861 published recordings, read from its name."""
    names = [parse_recording_name(f"{name}_skeleton.mat")[0] for name in all_names()]
    found = np.array([name.subject for name in names])
    assert len(found) == 861
    assert Counter(found.tolist()) == COUNTS
    actions = Counter(name.action for name in names)
    assert {action for action, count in actions.items() if count == 31} == {8, 23, 27}
    return found


@pytest.mark.parametrize(
    ("fold", "tested", "validates", "sizes"),
    [
        (0, 1, 2, (646, 108, 107)),
        (1, 2, 3, (645, 108, 108)),
        (2, 3, 4, (645, 108, 108)),
        (3, 4, 5, (645, 108, 108)),
        (4, 5, 6, (646, 107, 108)),
        (5, 6, 7, (646, 108, 107)),
        (6, 7, 8, (646, 107, 108)),
        (7, 8, 1, (647, 107, 107)),
    ],
)
def test_leave_one_subject_out(
    fold: int, tested: int, validates: int, sizes: tuple[int, int, int], of_rows: np.ndarray
) -> None:
    parts = subjects_of(fold, EVERY, 1)
    assert (parts["test"], parts["validation"]) == ([tested], [validates])
    rows = split_rows(of_rows, parts, "here")
    assert tuple(len(rows[part]) for part in ("train", "validation", "test")) == sizes
    assert sum(sizes) == 861
    assert set(of_rows[rows["train"]]) == {*EVERY} - {tested, validates}


def test_every_recording_is_tested_once(of_rows: np.ndarray) -> None:
    tested = [split_rows(of_rows, subjects_of(fold, EVERY, 1), "")["test"] for fold in range(8)]
    assert sorted(np.concatenate(tested).tolist()) == list(range(861))


def test_cross_subject(of_rows: np.ndarray) -> None:
    """431 of the odd subjects train and 430 are tested; one subject of the 431 validates."""
    parts = subjects_of("cs", EVERY, 1)
    assert parts == {"test": [2, 4, 6, 8], "validation": [1], "train": [3, 5, 7]}
    rows = split_rows(of_rows, parts, "here")
    assert {name: len(found) for name, found in rows.items()} == {
        "test": 430,
        "validation": 107,
        "train": 324,
    }
    whole = split_rows(of_rows, {**subjects_of("cs", EVERY, 0), "validation": [1]}, "here")
    assert len(whole["train"]) == 431


@pytest.mark.parametrize("fold", [8, -1, "cv", "0", 1.0, True])
def test_other_folds_are_refused(fold: object) -> None:
    with pytest.raises(DataError, match=f"fold: expected cs, or 0 to 7, found {fold}"):
        subjects_of(fold, EVERY, 1)  # type: ignore[arg-type]


def test_subjects_that_no_fold_knows_are_refused(of_rows: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"found those of \[8\] too, which no fold knows"):
        split_rows(of_rows, subjects_of(0, EVERY[:-1], 1), "here")


def test_parts_without_recordings_are_refused(of_rows: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"subjects \[9\] for the test part"):
        split_rows(of_rows, subjects_of(8, [*EVERY, 9], 1), "here")
    with pytest.raises(DataError, match="subjects: expected each of them once"):
        subjects_of(0, [1, 2, 2], 1)
    with pytest.raises(DataError, match=r"subjects: expected their numbers, found \['one', 2\]"):
        subjects_of(0, ["one", 2], 1)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("fold", "many", "most"), [(0, 7, 6), (0, -1, 6), (0, 1.5, 6), (0, True, 6), ("cs", 4, 3)]
)
def test_somebody_has_to_train(fold: int | str, many: float, most: int) -> None:
    message = (
        f"validation_subjects={many}: expected a whole number from 0 to {most}: {most + 1} sub"
    )
    with pytest.raises(DataError, match=message):
        subjects_of(fold, EVERY, many)  # type: ignore[arg-type]
    assert subjects_of(fold, EVERY, most)["train"]


@pytest.mark.parametrize(
    ("fold", "subjects", "found"),
    [("cs", [2, 4], "no others"), ("cs", [1, 3], "none to test"), (0, [1], "no others")],
)
def test_subjects_of_one_part_alone_are_refused(
    fold: int | str, subjects: list[int], found: str
) -> None:
    with pytest.raises(DataError, match=rf"subjects=.*fold={fold} tests .* found {found};"):
        subjects_of(fold, subjects, 0)
