"""What a packed set says about the files that it was made from."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datamodules.packed.errors import DataError, no_folder, reading

RENDERED = "sample.json"  # lies in a rendered raw folder and says how it was rendered
_LISTED = 5  # file names that a warning lists
_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")


def fingerprint(files: Iterable[Path], raw: Path) -> dict[str, Any]:
    """Number, total size and a digest over the names and sizes of the files that are read.

    Args:
        files: those that are read.
        raw: the folder that names are taken relative to; files elsewhere count by their last name.
    """
    return fingerprint_of(listing(files, raw))


def listing(files: Iterable[Path], raw: Path) -> list[tuple[str, int]]:
    """Names, relative to the raw folder, and sizes of the files that are read, sorted."""
    return sorted((_name(path, raw), path.stat().st_size) for path in files)


def fingerprint_of(listed: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """What `fingerprint` says of the files of a sorted listing."""
    return {
        "files": len(listed),
        "bytes": sum(size for _, size in listed),
        "digest": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
    }


def rendered(raw: Path) -> dict[str, Any]:
    """How a raw folder was rendered, under `rendered`; empty for real data."""
    path = raw / RENDERED
    if not path.is_file():
        return {}
    with reading(path, "move the folder away; a sample is rendered anew"):
        return {"rendered": json.loads(path.read_text())}


def check_folder(raw: Path, of: str) -> None:
    """Refuse a raw folder that is none.

    Args:
        raw: what a user named.
        of: the data set, for the message.

    Raises:
        DataError: says whether nothing is there, or a file.
    """
    if not raw.is_dir():
        raise DataError(f"{raw}: expected a folder with {of} files, found {no_folder(raw)}")


def left_out(paths: Sequence[Path], raw: Path, why: str) -> list[str]:
    """The warning about files of a raw folder that are not used; none where there are none."""
    if not paths:
        return []
    listed = ", ".join(str(path.relative_to(raw)) for path in paths[:_LISTED])
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return [f"{listed}{more}: {why}, left out"]


def what_to_do(raw: Path) -> str:
    """Advice where a raw folder holds no usable file: true of what lies there."""
    archives = sorted(path.name for path in raw.rglob("*") if path.suffix.lower() in _ARCHIVES)
    if archives:
        more = " ..." if len(archives) > _LISTED else ""
        return f"unpack {', '.join(archives[:_LISTED])}{more} there"
    return "give the folder that holds them as raw=; docs/data.md says what to fetch"


def _name(path: Path, raw: Path) -> str:
    return str(path.relative_to(raw)) if path.is_relative_to(raw) else path.name
