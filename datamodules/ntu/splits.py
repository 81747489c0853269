"""Which samples of NTU RGB+D train, validate and test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from datamodules.packed.errors import DataError
from datamodules.packed.settings import check_settings

VALIDATION = {"train": "validation", "test": "dev"}
"""What the validation part is called by the part that it is taken of: nothing may be chosen on
`dev`, whose samples are tested."""


@dataclass(frozen=True)
class Split:
    """One division into training and test samples.

    Args:
        by: the column of the index that divides, such as `subject` or `camera`.
        train: its values to train on.
        test: its values to test on.
    """

    by: str
    train: tuple[int, ...]
    test: tuple[int, ...]

    def __post_init__(self) -> None:
        check_settings(self, "split")


def split_rows(
    index: Mapping[str, Sequence[str]],
    split: Split,
    *,
    validation_subjects: Sequence[int],
    validation_part: Literal["train", "test"],
    where: str,
) -> dict[str, np.ndarray]:
    """Rows of `train`, `test` and `validation` or `dev`; listed samples only train.

    Args:
        index: of the packed set; `listed` marks samples in the list of missing skeletons.
        split: what trains and what is tested.
        validation_subjects: subjects whose samples are the validation part.
        validation_part: of which part they are taken. Those of `train` do not train; those of
            `test` are tested as well (released code), and are called `dev`.
        where: for messages.

    Raises:
        DataError: a part has no samples, or the index lacks the column that divides.
    """
    if split.by not in index:
        raise DataError(f"{where}: expected split.by among {', '.join(index)}, found {split.by}")
    column = np.array(index[split.by], dtype=np.int64)
    of_validation = np.isin(np.array(index["subject"], np.int64), validation_subjects)
    complete = np.array(index["listed"], np.int64) == 0
    parts = {"train": np.isin(column, split.train), "test": np.isin(column, split.test)}
    parts[VALIDATION[validation_part]] = parts[validation_part] & of_validation & complete
    parts["test"] &= complete
    if validation_part == "train":
        parts["train"] &= ~of_validation
    rows = {name: np.flatnonzero(part) for name, part in parts.items()}
    for name, found in rows.items():
        if not len(found):
            raise DataError(
                f"{where}: expected samples for the {name} part (by {split.by}; validation "
                f"subjects {list(validation_subjects)}), found none among {split.by} "
                f"{sorted(set(column.tolist()))}; prepare the missing samples or choose another "
                "split"
            )
    return rows
