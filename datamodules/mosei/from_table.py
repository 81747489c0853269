"""CMU-MOSEI from a table of texts: segments without face and voice."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datamodules.formats.mosei_csv import read_text_table
from datamodules.formats.mosei_folds import join_folds
from datamodules.mosei.rows import Segment, SegmentPlan, clip_labels, short
from datamodules.packed.errors import DataError


def plan_table(path: Path, folds: Mapping[str, str] | None) -> SegmentPlan:
    """Take the segments of a table.

    Args:
        path: the table.
        folds: video -> split; without them the column `mode` decides.

    Raises:
        DataError: as `read_text_table` says, nothing says which videos train and test, or a video
            is in two splits.
    """
    rows = read_text_table(path)
    if folds is None and not rows[0].split:
        raise DataError(
            f"{path}: expected the column mode (train, valid, test), found none; add it, or give "
            "folds=<file>"
        )
    splits = folds or join_folds(((row.video, row.split) for row in rows), str(path))
    lines = [f"line {row.line}" for row in rows]
    labels, clipped = clip_labels(np.array([[row.label] for row in rows]), str(path), lines)
    plan = SegmentPlan(files=[path], folds=splits)
    plan.counts["labels_clipped"] = clipped
    for row, label in zip(rows, labels[:, 0], strict=True):
        if row.video not in splits:
            plan.dropped[row.id] = "no fold has its video"
            continue
        plan.items.append(row.id)
        plan.segments.append(
            Segment(row.id, row.video, splits[row.video], short(label), sentence=row.text)
        )
    return plan
