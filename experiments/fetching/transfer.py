"""One file of a record, from its server onto the disk: resumed, and held against its checksum."""

import hashlib
import http.client
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from experiments.fetching.client import Client, Response
from experiments.fetching.errors import DelayError, FetchError, RangeError
from experiments.fetching.record import RemoteFile

_PIECE = 1 << 18  # bytes that are read at a time, at most
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Watch = Callable[[int], None]
"""Told how many bytes of the file are there."""


def part_of(file: RemoteFile, folder: Path) -> Path:
    """Return where the beginning of a file lies until it is whole.

    Its name tells the checksum: what was begun is continued by the same file alone.
    """
    return folder / f"{file.name}.{file.digest[:12]}.part"


def fetch(file: RemoteFile, folder: Path, client: Client, watch: Watch) -> Path:
    """Fetch a file, or what is left of it.

    Args:
        file: as its record describes it.
        folder: the download's own, in which everything may be deleted.
        client: asks the server.
        watch: is told of the progress.

    Returns:
        The whole file, which has the record's checksum.

    Raises:
        FetchError: as the client says; or twice something else was sent than the record describes.
    """
    target, part = folder / file.name, part_of(file, folder)
    if target.is_file() and checksum_of(target, file) == file.checksum:
        return target
    target.unlink(missing_ok=True)
    for stale in folder.glob("*.part"):
        if stale != part and stale.name.startswith(f"{file.name}."):
            stale.unlink()  # of a file that the record has replaced since
    found = ""
    for _ in range(2):
        client.patiently(
            file.name, lambda: _go_on(file, part, client, watch), lambda: _has_any(folder)
        )
        found = checksum_of(part, file)
        if found == file.checksum:
            return part.replace(target)
        part.unlink()
    raise FetchError(
        f"{file.name}: expected {file.checksum}, as the record says, found {found}, twice; what "
        f"was fetched is deleted: try again later, or fetch {file.address} by hand"
    )


def _has_any(folder: Path) -> bool:
    """Say whether anything has come yet: a beginning, an archive, or the note of an unpacked one.

    The lock of a download, and a beginning of no byte, are empty.
    """
    return any(path.stat().st_size for path in folder.iterdir() if path.is_file())


def checksum_of(path: Path, file: RemoteFile) -> str:
    """Return a file's checksum, in the form and by the algorithm of the record's."""
    with path.open("rb") as opened:
        digest = hashlib.file_digest(
            opened, lambda: hashlib.new(file.algorithm, usedforsecurity=False)
        )
    return f"{file.algorithm}:{digest.hexdigest()}"


def _go_on(file: RemoteFile, part: Path, client: Client, watch: Watch) -> int:
    """Ask for what is missing; return 0 once nothing is, else the bytes that have come."""
    begun = part.stat().st_size if part.exists() else 0
    if begun > file.size:
        part.unlink()
        begun = 0
    if begun == file.size and part.exists():
        return 0
    try:
        with client.open(file.address, begun) as response:
            start = _start(file, response, begun)
            # unbuffered: what stands in the file is what has been written, also on a full disk
            with part.open("r+b" if start else "wb", buffering=0) as opened:
                opened.truncate(start)
                opened.seek(start)
                size = _receive(file, response, opened, start, watch)
    except RangeError:  # there is nothing behind what has been begun: it is not of this file
        part.unlink(missing_ok=True)
        raise
    if size < file.size:
        if size <= begun:
            raise DelayError("a cut connection")
        return size - begun
    return 0


def _start(file: RemoteFile, response: Response, begun: int) -> int:
    """Return the byte that an answer begins with: 0 of a server that knows no ranges.

    Raises:
        FetchError: the answer is of another file.
        RangeError: it is of another part than was asked for.
    """
    headers = response.headers
    if response.status == http.client.PARTIAL_CONTENT:
        told = _RANGE.fullmatch(headers.get("Content-Range", ""))
        if not told or int(told[1]) != begun or told[2] not in ("*", str(file.size)):
            raise RangeError(f"another range, {headers.get('Content-Range')}")
        return begun
    stated = headers.get("Content-Length", str(file.size))
    if stated != str(file.size) or headers.get_content_type() == "text/html":
        raise _another(file, f"{stated} bytes", headers)
    return 0


def _receive(
    file: RemoteFile, response: Response, opened: BinaryIO, size: int, watch: Watch
) -> int:
    """Write what comes; return the size of the part-file once nothing more does."""
    while True:
        watch(size)
        try:
            piece = response.read1(_PIECE)  # what is there, so that little is lost
        except (OSError, http.client.HTTPException):  # cut off: what has come is good
            return size
        if not piece:
            return size
        if size + len(piece) > file.size:
            raise _another(file, f"more than {file.size} bytes", response.headers)
        write_all(opened, piece)
        size += len(piece)


def write_all(opened: BinaryIO, piece: bytes) -> None:
    """Write all bytes; an unbuffered file may take fewer at a time."""
    left = memoryview(piece)
    while left:
        left = left[opened.write(left) :]


def _another(file: RemoteFile, found: str, headers: http.client.HTTPMessage) -> FetchError:
    return FetchError(
        f"{file.name}: expected the {file.size} bytes that the record describes, found {found} of "
        f"{headers.get_content_type()} at {file.address}; is it the page of a proxy, or of a "
        "server under repair? Type the same command again later"
    )
