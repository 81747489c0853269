"""Text files of other people, in whatever encoding they were saved."""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from datamodules.packed.errors import DataError

# The marks that editors, spreadsheets and shells put at the beginning; the longer ones first.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEPARATORS = ",;\t"


def read_text(path: Path) -> str:
    """Read a text in UTF-8 or UTF-16, or in UTF-32 with a byte order mark.

    Line ends stay as they are.

    Raises:
        DataError: the file cannot be read, or has a byte that is not of its encoding; guessing
            another encoding would change names and words in silence.
    """
    return _decoded(path, read_bytes(path))


def read_utf8(path: Path) -> str:
    """Read a text that a program wrote in UTF-8 or ASCII; a byte order mark is passed over.

    Raises:
        DataError: the file cannot be read, or is in another encoding: the program did not write it
            so, and what did can have changed more.
    """
    data = read_bytes(path)
    encoding = _encoding(data)
    if not encoding.startswith("utf-8"):
        raise DataError(
            f"{path}: expected text in UTF-8, found {encoding.upper()}; fetch the file again, or "
            "save it as UTF-8"
        )
    return _decoded(path, data)


@dataclass(frozen=True)
class Table:
    """A table of text: its columns, and each row with the line of the file that it ends in."""

    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]  # cells without the blanks around them


def read_table(path: Path) -> Table:
    """Read a table with a header, in any encoding of `read_text` and with any separator.

    Rows without any text, as spreadsheets leave them at the end, are passed over; cells that a row
    lacks are empty.

    Raises:
        DataError: it cannot be read, or a quoted cell does not end.
    """
    text = read_text(path)
    header = text.partition("\n")[0]
    mark = separator(header)
    spaced = f"{mark} " in header  # a blank before a quotation mark is then no part of the text
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=spaced, delimiter=mark)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: expected cells between {mark!r}: {error}; is there "
            "a quotation mark without its other half?"
        ) from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    columns = tuple(lines[0][1]) if lines else ()
    rows = [
        (number, dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False)))
        for number, cells in lines[1:]
    ]
    return Table(columns, rows)


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: expected a readable file: {error}") from error


def separator(header: str) -> str:
    """The character between the columns of a table: the one of `,`, `;` and tab that is there most.

    Spreadsheets write `;` where the comma is the decimal point.
    """
    return max(_SEPARATORS, key=header.count)


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    # without a mark: whatever is read here begins with a letter or a sign of ASCII
    return {b"\0": "utf-16-be"}.get(data[:1], "utf-16-le" if data[1:2] == b"\0" else "utf-8")


def _decoded(path: Path, data: bytes) -> str:
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        name = encoding.removesuffix("-sig").upper()
        raise DataError(
            f"{path}, line {line}: expected text in {name}, found the byte "
            f"0x{error.object[error.start]:02x}; the file is damaged or in another encoding: fetch "
            "it again, or save it as UTF-8"
        ) from error
