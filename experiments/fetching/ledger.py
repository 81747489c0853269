"""What a download has done so far, in a folder of its own beside the raw files.

    <out>/.download/ledger.json     what is unpacked from which archive, which parts are packed, and
                                    what a stopped call has left to delete
    <out>/.download/*.part, *.zip   archives that are being fetched, or are not yet unpacked

Only what stands there as written by a download is ever deleted by one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments.fetching.archive import leads_out
from experiments.fetching.errors import FetchError
from experiments.files import write_json

_TO_CLEAR = "to_clear"  # of packed parts: whether their raw files are still to be deleted
_LEFT = "left"  # of a joined set: what is still to be deleted of its parts

FOLDER = ".download"
_EMPTY: dict[str, Any] = {"archives": {}, "packed": {}, "joined": {}}


class Ledger:
    """The ledger of a raw folder, read from its file; every change is written at once.

    Args:
        out: the raw folder.

    Raises:
        FetchError: the file is not one that was written here.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.folder = out, out / FOLDER
        self.path = self.folder / "ledger.json"
        try:
            self._all = json.loads(self.path.read_text()) if self.path.exists() else {}
            self._all = {key: dict(self._all.get(key, {})) for key in _EMPTY}
            names = [name for entry in self._entries() for name in entry["files"]]
            if any(leads_out(name) for name in names):
                raise ValueError("a name that leads out of the folder")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FetchError(
                f"{self.path}: expected what an earlier download noted, found something else "
                f"({error}); move it away: files that are there are then taken for your own"
            ) from error

    def _entries(self) -> Iterator[dict[str, Any]]:
        for archive in self._all["archives"].values():
            yield from archive["parts"].values()

    def checksum(self, archive: str) -> str | None:
        """Return the checksum of an archive that something was unpacked from."""
        return self._all["archives"].get(archive, {}).get("checksum")

    def unpacked(self, archive: str, part: int) -> bool:
        """Say whether all that an archive has of a part lies in the raw folder."""
        entry = self._part(archive, part)
        if entry is None or not entry["done"] or not entry["files"]:
            return False
        return all(_has_size(self.out / name, size) for name, (size, _) in entry["files"].items())

    def served(self, archive: str, part: int) -> bool:
        """Say whether a part has ever been unpacked from an archive."""
        entry = self._part(archive, part)
        return entry is not None and bool(entry["done"])

    def begin(self, archive: str, checksum: str, part: int, files: dict[str, int]) -> None:
        """Note what will be unpacked, and what of it lies there already and is the user's."""
        parts = self._all["archives"].setdefault(archive, {"checksum": checksum, "parts": {}})
        before = (self._part(archive, part) or {"files": {}})["files"]
        listed = {}
        for name, size in files.items():
            path = self.out / name
            known = name in before and before[name][1] and _has_size(path, before[name][0])
            listed[name] = [size, known or not path.exists()]
        parts["parts"][str(part)] = {"done": False, "files": listed}
        self._write()

    def end(self, archive: str, part: int) -> None:
        """Note that all of it has been unpacked."""
        self._all["archives"][archive]["parts"][str(part)]["done"] = True
        self._write()

    def mine(self, archive: str, part: int, name: str) -> bool:
        """Say whether a file was written by a download."""
        entry = self._part(archive, part)
        return entry is not None and bool(entry["files"].get(name, [0, False])[1])

    def packed(self, step: str) -> dict[str, Any] | None:
        """Return what was noted when parts were packed."""
        return self._all["packed"].get(step)

    def note_packed(self, step: str, note: dict[str, Any]) -> None:
        """Note that parts are packed, and how; their raw files are not deleted yet."""
        self._all["packed"][step] = note | {_TO_CLEAR: True}
        self._write()

    def to_clear(self, step: str) -> bool:
        """Say whether parts are packed and their raw files are still to be deleted."""
        return bool(self._all["packed"].get(step, {}).get(_TO_CLEAR))

    def note_cleared(self, *steps: str) -> None:
        """Note that the raw files of packed parts are deleted, or are wanted by now."""
        for step in filter(self.to_clear, steps):
            self._all["packed"][step][_TO_CLEAR] = False
            self._write()

    def keep(self) -> None:
        """Note that raw files are wanted: no later call deletes what was packed before."""
        self.note_cleared(*self._all["packed"])

    @property
    def joined(self) -> dict[str, Any]:
        """Return what was noted when the parts were joined."""
        return self._all["joined"]

    def note_joined(self, note: dict[str, Any], marks: dict[str, str]) -> None:
        """Note that the parts are one packed set, and which; they count as packed no longer.

        Args:
            note: tells the set.
            marks: of its parts, which are still to be deleted.
        """
        self._all["joined"], self._all["packed"] = note | {_LEFT: marks}, {}
        self._write()

    @property
    def parts_left(self) -> dict[str, str]:
        """Return the marks of joined parts that are still to be deleted."""
        return dict(self.joined.get(_LEFT, {}))

    def note_parts_gone(self) -> None:
        """Note that the parts of the joined set are deleted."""
        self._all["joined"][_LEFT] = {}
        self._write()

    def clear(self, archive: str, part: int) -> int:
        """Delete a part's raw files that a download wrote; return their number of bytes.

        A file that has another size now is no longer what was unpacked, and stays.

        Args:
            archive: that they are from; files of other archives stay.
            part: that they are of.
        """
        entry = self._part(archive, part)
        if entry is None:
            return 0
        gone = 0
        for name, (size, mine) in entry["files"].items():
            path = self.out / name
            if mine and _has_size(path, size):
                path.unlink()
                gone += size
                with suppress(OSError):  # other files lie there, too
                    path.parent.rmdir()
        entry["files"] = {}
        self._write()
        return gone

    def _part(self, archive: str, part: int) -> dict[str, Any] | None:
        return self._all["archives"].get(archive, {"parts": {}})["parts"].get(str(part))

    def _write(self) -> None:
        write_json(self.path, self._all)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep other downloads out of a folder.

    Raises:
        FetchError: one is at work there.
    """
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / FOLDER / "lock", timeout=0):
            yield
    except Timeout as error:
        raise FetchError(f"out={out}: another download is at work there; wait for it") from error


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
