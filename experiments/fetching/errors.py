"""What stops a download, and what only delays it."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SPARE = 64 << 20  # bytes that are left free


class FetchError(ValueError):
    """Something about a download that the user can put right; the message says how."""


class DelayError(Exception):
    """Something that may be gone in a moment: a cut connection, a busy server.

    Args:
        found: in words.
        wait: seconds that the server asks to wait.
    """

    def __init__(self, found: str, wait: float | None = None) -> None:
        super().__init__(found)
        self.wait = wait


class RangeError(DelayError):
    """The server has nothing from the wanted byte on."""


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Say what to do where a disk turns out to be full.

    Raises:
        FetchError: in place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise FetchError(
            f"{error.filename or folder}: expected free disk space, found a full disk "
            f"({gigabytes(free(folder))} free); free some and type the same command: it continues "
            "where it was"
        ) from error


def free(folder: Path) -> int:
    """Return the free bytes of the disk that a folder lies on, or will lie on."""
    there = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    return shutil.disk_usage(there).free


def need(folder: Path, size: float, what: str) -> None:
    """Refuse work that the disk has no room for.

    Args:
        folder: on that disk.
        size: bytes.
        what: they are for.

    Raises:
        FetchError: says how much is needed and how much there is.
    """
    there = free(folder)
    if size + _SPARE > there:
        raise FetchError(
            f"{folder}: expected {gigabytes(size + _SPARE)} of free disk space {what}, found "
            f"{gigabytes(there)}; free some and type the same command, it continues where it was; "
            "or choose a folder on another disk"
        )


def gigabytes(size: float) -> str:
    """Return a number of bytes in words."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.2f} MB"
