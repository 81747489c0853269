"""Text files of other people, in whatever encoding they were saved."""

import codecs
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
    """Read a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

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
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")


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
