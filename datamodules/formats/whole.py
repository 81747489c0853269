"""Whether a media file is as long as it says itself: by the sizes of its outermost parts.

Counts and durations in a header are hints that many writers get wrong; these sizes are what a
reader needs to find the next part, so a file that ends before is cut off.

    RIFF (avi, wav)   "RIFF" size32 ...
    MP4               boxes: size32 name, or 1 name size64; 0: up to the end
    Matroska          EBML header, segment: id and size, both of variable length
"""

from pathlib import Path
from typing import BinaryIO

from datamodules.packed.errors import DataError

_SLACK = 64  # bytes: some writers of RIFF count their header, too
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_UNKNOWN = 2**32 - 1  # what a writer leaves there that cannot go back


def check_whole(path: Path) -> None:
    """Refuse a file that ends before its own outermost parts do.

    A file of another kind, or one that does not state a size, passes.

    Raises:
        DataError: the file is cut off, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = path.stat().st_size
            stated = _stated(file, found)
    except OSError as error:
        raise DataError(f"{path}: expected a readable file: {error}") from error
    if stated > found:
        raise DataError(
            f"{path}: expected at least {stated} bytes, as the file itself states, found {found}: "
            "it is cut off; fetch it again"
        )


def _stated(file: BinaryIO, length: int) -> int:
    """Least size of the whole file as its parts state it; 0 where they do not."""
    head = file.read(12)
    if head[:4] == b"RIFF":
        size = int.from_bytes(head[4:8], "little")
        return size + 8 if length + _SLACK < size + 8 <= _UNKNOWN else 0
    if head[4:8] == b"ftyp":
        return _end_of_boxes(file, length)
    return _end_of_segment(file) if head[:4] == _EBML else 0


def _end_of_boxes(file: BinaryIO, length: int) -> int:
    start = 0
    while start + 8 <= length:
        file.seek(start)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: the last one, up to the end of the file
            return 0
        start += size
    return start


def _end_of_segment(file: BinaryIO) -> int:
    file.seek(len(_EBML))
    header = _size(file)
    file.seek(header, 1)
    if file.read(4) != _SEGMENT:
        return 0
    size = _size(file)
    return file.tell() + size if size else 0


def _size(file: BinaryIO) -> int:
    """Read a size: as many bytes follow the first as it has leading zeros; all ones: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return 0
    extra = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(extra), "big")
    size = value & ((1 << (7 * (extra + 1))) - 1)
    return 0 if size == (1 << (7 * (extra + 1))) - 1 else size
