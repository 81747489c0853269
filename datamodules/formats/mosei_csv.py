"""CMU-MOSEI as a table of texts: `video_id, clip_id, text, label`, mostly `mode`; a row a segment.

That is the `label.csv` of MMSA. Further columns are not read.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from datamodules.errors import DataError
from datamodules.formats.mosei_folds import split_name

_COLUMNS = ("video_id", "clip_id", "text", "label")
_LISTED = 5


@dataclass(frozen=True)
class TextRow:
    """One segment."""

    video: str
    clip: str
    text: str
    label: float
    split: str  # as `mode` says; empty where the table has no such column

    @property
    def id(self) -> str:
        return f"{self.video}[{self.clip}]"


def read_text_table(path: Path) -> list[TextRow]:
    """Read the whole table, in its order.

    Raises:
        DataError: columns are missing, a text is empty, a label is no number, a segment stands
            there twice, or a mode is none of train, valid and test.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a table of texts and labels, found no such file")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{path}: expected the columns {', '.join(_COLUMNS)}, found no "
                f"{', '.join(missing)}; take MMSA's label.csv or name the columns like that"
            )
        moded = "mode" in (reader.fieldnames or ())
        rows, empty = {}, []
        for values in reader:
            where = f"{path}, line {reader.line_num}"
            row = _row(values, where, moded)
            if row.id in rows:
                raise DataError(f"{where}: segment {row.id} stands there twice; keep one row")
            rows[row.id] = row
            if not row.text:
                empty.append(str(reader.line_num))
    if empty or not rows:
        found = f"{len(empty)} without (lines {', '.join(empty[:_LISTED])}" if empty else "no row"
        more = (" ...)" if len(empty) > _LISTED else ")") if empty else ""
        raise DataError(
            f"{path}: expected a text in every row, found {found}{more}; "
            "fill them in or delete these rows"
        )
    return list(rows.values())


def _row(values: dict[str, str | None], where: str, moded: bool) -> TextRow:
    video, clip, text, label = ((values[name] or "").strip() for name in _COLUMNS)
    try:
        sentiment = float(label)
    except ValueError as error:
        raise DataError(f"{where}: expected a number as label, found {label!r}") from error
    mode = (values["mode"] or "") if moded else ""
    if moded and not split_name(mode):
        raise DataError(f"{where}: expected the mode train, valid or test, found {mode!r}")
    return TextRow(video, clip, " ".join(text.split()), sentiment, split_name(mode))
