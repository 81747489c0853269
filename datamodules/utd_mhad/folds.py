"""Which recordings of UTD-MHAD train, validate and test."""

from collections.abc import Sequence

import numpy as np

from datamodules.packed.errors import DataError

CROSS_SUBJECT = "cs"  # the published protocol: odd subjects train, even ones are tested
Fold = int | str


def subjects_of(
    fold: Fold, subjects: Sequence[int], validation_subjects: int
) -> dict[str, list[int]]:
    """The subjects of `test`, `validation` and `train`.

    Args:
        fold: the place of the subject that is left out, from 0; or `cs`.
        subjects: all of them, each once.
        validation_subjects: so many of the others validate: those that follow the last tested one,
            around the end.

    Raises:
        DataError: a subject is no number or stands there twice, there is no such fold, or nobody is
            left to test or to train.
    """
    places = range(len(subjects))
    if not all(isinstance(subject, int) for subject in subjects):
        raise DataError(f"subjects: expected their numbers, found {list(subjects)}")
    if len(set(subjects)) < len(subjects):
        raise DataError(f"subjects: expected each of them once, found {list(subjects)}")
    if fold == CROSS_SUBJECT:
        tested = [place for place in places if subjects[place] % 2 == 0]
    elif isinstance(fold, int) and not isinstance(fold, bool) and fold in places:
        tested = [fold]
    else:
        raise DataError(
            f"fold: expected {CROSS_SUBJECT}, or 0 to {len(subjects) - 1}, found {fold}"
        )
    last = tested[-1] + 1 if tested else 0
    others = [subjects[p] for p in [*places[last:], *places[:last]] if p not in tested]
    if not tested or not others:
        raise DataError(
            f"subjects={list(subjects)}: expected some that fold={fold} tests and others that "
            f"train, found {'no others' if tested else 'none to test'}; name more of them"
        )
    whole = isinstance(validation_subjects, int) and not isinstance(validation_subjects, bool)
    if not whole or not 0 <= validation_subjects < len(others):
        raise DataError(
            f"validation_subjects={validation_subjects}: expected a whole number from 0 to "
            f"{len(others) - 1}: {len(others)} subjects are not tested, and one has to train"
        )
    return {
        "test": [subjects[place] for place in tested],
        "validation": others[:validation_subjects],
        "train": others[validation_subjects:],
    }


def split_rows(
    of_rows: np.ndarray, parts: dict[str, list[int]], where: str
) -> dict[str, np.ndarray]:
    """Rows of each part.

    Args:
        of_rows: (N,) the subject of each row.
        parts: as `subjects_of` says.
        where: for messages.

    Raises:
        DataError: a recording is of a subject that no part knows, or a part has no recordings.
    """
    there = set(of_rows.tolist())
    unknown = there - {subject for part in parts.values() for subject in part}
    if unknown:
        raise DataError(
            f"{where}: expected recordings of the subjects in datamodule.subjects, found those of "
            f"{sorted(unknown)} too, which no fold knows; name them there, or prepare without them"
        )
    rows = {name: np.flatnonzero(np.isin(of_rows, part)) for name, part in parts.items()}
    for name, found in rows.items():
        if not len(found):
            raise DataError(
                f"{where}: expected recordings of the subjects {parts[name]} for the {name} part, "
                f"found those of {sorted(there)}; prepare the missing ones or choose other subjects"
            )
    return rows
