"""The list of files that a public record keeps of itself: names, sizes, checksums, addresses.

{server}/records/<number>  ->  {"files": [{"key": "a.zip", "size": 9, "checksum": "md5:...",
                                           "links": {"self": "https://..."}}, ...]}
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from experiments.fetching.client import Client
from experiments.fetching.errors import FetchError

_PLAIN = re.compile(
    r"[^.\x00-\x1f\\/:*?\"<>|][^\x00-\x1f\\/:*?\"<>|]*"
)  # no path, drive or control
_CHECKSUM = re.compile(r"(md5|sha1|sha256|sha512):([0-9a-f]+)", re.IGNORECASE)


@dataclass(frozen=True)
class RemoteFile:
    """A file as its record describes it.

    Args:
        name: without any folder.
        size: bytes.
        checksum: `<algorithm>:<hexadecimal digits>`.
        address: where it is fetched.
    """

    name: str
    size: int
    checksum: str
    address: str

    @property
    def algorithm(self) -> str:
        """Return the name of the checksum's algorithm."""
        return self.checksum.partition(":")[0]

    @property
    def digest(self) -> str:
        """Return the checksum's digits."""
        return self.checksum.partition(":")[2]


def read_record(client: Client, number: int) -> dict[str, RemoteFile]:
    """Ask a server for a record's files.

    Returns:
        name -> file.

    Raises:
        FetchError: as the client says, or the answer is no list of files, or has a name that would
            lead out of a folder.
    """
    address = f"{client.server}/records/{number}"
    answer = client.json(address)
    entries = answer.get("files") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not entries:
        keys = ", ".join(map(str, answer)) if isinstance(answer, dict) else type(answer).__name__
        raise FetchError(
            f"{address}: expected a record with its files, found {keys or 'nothing'}; open the "
            "address in a browser to see why"
        )
    files = [_read_file(entry, address, client) for entry in entries]
    if len({file.name for file in files}) < len(files):
        raise FetchError(f"{address}: expected every name once, found one of a file twice")
    return {file.name: file for file in files}


def _read_file(entry: Any, address: str, client: Client) -> RemoteFile:
    fields = entry if isinstance(entry, dict) else {}
    links = fields.get("links")
    name, size = fields.get("key"), fields.get("size")
    link = links.get("self") if isinstance(links, dict) else None
    checksum = _CHECKSUM.fullmatch(str(fields.get("checksum")))
    if not (isinstance(name, str) and isinstance(link, str) and isinstance(size, int) and checksum):
        raise FetchError(
            f"{address}: expected key, size, checksum and links.self of every file, found "
            f"{str(entry)[:200]}; the server's answers have changed: fetch by hand, as "
            "docs/data.md says"
        )
    if not _PLAIN.fullmatch(name) or name.endswith((".", " ")):
        raise FetchError(
            f"{address}: expected plain file names, found {name!r}; nothing was fetched, since "
            "such a name may lead out of the folder"
        )
    if size < 0:
        raise FetchError(f"{address}: expected the size of {name}, found {size}")
    kind, digest = checksum[1].lower(), checksum[2].lower()
    if len(digest) != 2 * hashlib.new(kind, usedforsecurity=False).digest_size:
        raise FetchError(f"{address}: expected a whole {kind} of {name}, found {digest}")
    client.check(link)
    return RemoteFile(name, size, f"{kind}:{digest}", link)
