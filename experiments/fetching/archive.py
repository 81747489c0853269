"""Zip archives, unpacked with suspicion: nothing leaves the folder, links or outgrows its size."""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from experiments.fetching.errors import FetchError
from experiments.fetching.transfer import write_all

_PIECE = 1 << 20
_MOST = 64  # bytes that a byte of an archive may become: csvs shrink to a fifth, a bomb to a 1000th
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)

Entries = dict[str, zipfile.ZipInfo]
"""Path below the folder -> what the archive says of it."""


@contextmanager
def _reading(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except _BROKEN as error:
        raise FetchError(
            f"{archive}: expected a zip archive that can be read, found damage ({error}); nothing "
            "of it is used"
        ) from error


def entries_of(archive: Path, wanted: Callable[[str], bool]) -> Entries:
    """Return the wanted files of an archive, once all of it has been looked through.

    Args:
        archive: a zip file.
        wanted: says of a file's last name whether it is.

    Raises:
        FetchError: it is no archive, or anything in it has a name that leads out of a folder, is a
            link or another thing than a file, is encrypted, stands twice, or grows beyond measure.
    """
    with _reading(archive) as opened:
        entries = [info for info in opened.infolist() if not info.is_dir()]
    seen: set[str] = set()
    for info in entries:
        trouble = _trouble(info)
        if info.filename.casefold() in seen:
            trouble = "a name that stands there twice"
        seen.add(info.filename.casefold())
        if trouble:
            raise FetchError(
                f"{archive}: expected plain files, found {info.filename!r}, {trouble}; nothing of "
                "it was unpacked"
            )
    size, most = sum(info.file_size for info in entries), _MOST * archive.stat().st_size
    if size > most:
        raise FetchError(
            f"{archive}: expected at most {most} bytes when unpacked, found {size}; nothing of it "
            "was unpacked"
        )
    return {info.filename: info for info in entries if wanted(PurePosixPath(info.filename).name)}


def unpack(archive: Path, entries: Entries, folder: Path, mine: Callable[[str], bool]) -> None:
    """Unpack files; those that are there already, byte for byte, are left.

    Args:
        archive: a zip file.
        entries: of it.
        folder: where they go.
        mine: says of a path whether it may be written over, because an earlier call wrote it.

    Raises:
        FetchError: the archive is damaged, or another file of that name lies there.
    """
    with _reading(archive) as opened:
        for name, info in entries.items():
            target = folder / name
            if target.is_file() and same(target, info):
                continue
            if target.exists() and not mine(name):
                raise FetchError(
                    f"{target}: expected nothing, or the {info.file_size} bytes of {archive.name}, "
                    "found something else; move it away, or choose another out"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.part")
            with opened.open(info) as source, beside.open("wb", buffering=0) as file:
                while piece := source.read(_PIECE):  # zipfile ends at the size that is declared
                    write_all(file, piece)
            beside.replace(target)


def same(path: Path, info: zipfile.ZipInfo) -> bool:
    """Say whether a file is the one of the archive, by size and CRC."""
    if path.stat().st_size != info.file_size:
        return False
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            crc = zlib.crc32(piece, crc)
    return crc == info.CRC


def leads_out(name: str) -> bool:
    """Say whether a path could leave the folder that it is relative to, on any system."""
    parts = name.split("/")
    return bool({"", ".", ".."} & set(parts)) or any(mark in name for mark in "\\:\0")


def _trouble(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if leads_out(info.filename):
        return "a name that leads out of the folder"
    if kind not in (0, stat.S_IFREG):
        return "a link, or another thing than a file"
    return "which is encrypted" if info.flag_bits & 1 else ""
