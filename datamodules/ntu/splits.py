"""Which samples of NTU RGB+D train, validate and test."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from datamodules.packed.errors import DataError

VALIDATION = {"train": "validation", "test": "dev"}
"""What the validation part is called by the part that it is taken of: nothing may be chosen on
`dev`, whose samples are tested."""


def split_rows(
    index: Mapping[str, Sequence[str]],
    split: Mapping[str, Any],
    *,
    validation_subjects: Sequence[int],
    validation_part: Literal["train", "test"],
    where: str,
) -> dict[str, np.ndarray]:
    """Rows of `train`, `test` and `validation` or `dev`; listed samples only train.

    Args:
        index: of the packed set; `listed` marks samples in the list of missing skeletons.
        split: `by` (a column of the index), and its values to `train` and to `test` on.
        validation_subjects: subjects whose samples are the validation part.
        validation_part: of which part they are taken. Those of `train` do not train; those of
            `test` are tested as well (released code), and are called `dev`.
        where: for messages.

    Raises:
        DataError: a part has no samples.
    """
    column = np.array(index[split["by"]], dtype=np.int64)
    of_validation = np.isin(np.array(index["subject"], np.int64), validation_subjects)
    complete = np.array(index["listed"], np.int64) == 0
    parts = {name: np.isin(column, split[name]) for name in ("train", "test")}
    parts[VALIDATION[validation_part]] = parts[validation_part] & of_validation & complete
    parts["test"] &= complete
    if validation_part == "train":
        parts["train"] &= ~of_validation
    rows = {name: np.flatnonzero(part) for name, part in parts.items()}
    for name, found in rows.items():
        if not len(found):
            raise DataError(
                f"{where}: expected samples for the {name} part (by {split['by']}; validation "
                f"subjects {list(validation_subjects)}), found none among {split['by']} "
                f"{sorted(set(column.tolist()))}; prepare the missing samples or choose other "
                "splits"
            )
    return rows
