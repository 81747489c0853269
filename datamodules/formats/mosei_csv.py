"""CMU-MOSEI as a table of texts: `video_id, clip_id, text, label`, mostly `mode`; a row a segment.

That is the `label.csv` of MMSA. Further columns are not read.
"""

from dataclasses import dataclass
from pathlib import Path

from datamodules.formats.mosei_folds import split_name
from datamodules.formats.text import read_table
from datamodules.packed.errors import DataError

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
    line: int  # of the file; the last one of a text of several lines

    @property
    def id(self) -> str:
        return f"{self.video}[{self.clip}]"


def read_text_table(path: Path) -> list[TextRow]:
    """Read the whole table, in its order.

    Raises:
        DataError: it is no text, columns are missing, a text or a video is empty, a label is no
            number, a segment stands there twice, or a mode is none of train, valid and test.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a table of texts and labels, found no such file")
    table = read_table(path)
    columns = table.columns
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise DataError(
            f"{path}: expected the columns {', '.join(_COLUMNS)}, found no "
            f"{', '.join(missing)}; take MMSA's label.csv or name the columns like that"
        )
    rows = [_row(values, path, line, "mode" in columns) for line, values in table.rows]
    if not rows:
        raise DataError(f"{path}: expected a text in every row, found no row; fetch it again")
    _check_filled("text", [row.line for row in rows if not row.text], path)
    _check_filled("video_id", [row.line for row in rows if not row.video], path)
    known: set[str] = set()
    for row in rows:
        if row.id in known:
            raise DataError(
                f"{path}, line {row.line}: segment {row.id} stands there twice; keep one row"
            )
        known.add(row.id)
    return rows


def _check_filled(column: str, empty: list[int], path: Path) -> None:
    """Refuse a table with lines where a column is empty."""
    if not empty:
        return
    lines = ", ".join(map(str, empty[:_LISTED])) + (" ..." if len(empty) > _LISTED else "")
    one = len(empty) == 1
    raise DataError(
        f"{path}: expected a {column} in every row, found {len(empty)} without "
        f"({'line' if one else 'lines'} {lines}); "
        + ("fill it in, or leave the row out" if one else "fill them in, or leave these rows out")
    )


def _row(values: dict[str, str], path: Path, line: int, moded: bool) -> TextRow:
    where = f"{path}, line {line}"
    video, clip, text, label = (values[name] for name in _COLUMNS)
    try:
        sentiment = float(label)
    except ValueError as error:
        raise DataError(f"{where}: expected a number as label, found {label!r}") from error
    mode = values["mode"] if moded else ""
    if moded and not split_name(mode):
        raise DataError(f"{where}: expected the mode train, valid or test, found {mode!r}")
    return TextRow(video, clip, " ".join(text.split()), sentiment, split_name(mode), line)
