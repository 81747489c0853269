"""What a packed set says about the files that it was made from."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RENDERED = "sample.json"  # lies in a rendered raw folder and says how it was rendered


def fingerprint(files: Iterable[Path], raw: Path) -> dict[str, Any]:
    """Number, total size and a digest over the names and sizes of the files that are read.

    Args:
        files: those that are read.
        raw: the folder that names are taken relative to; files elsewhere count by their last name.
    """
    listed = sorted((_name(path, raw), path.stat().st_size) for path in files)
    return {
        "files": len(listed),
        "bytes": sum(size for _, size in listed),
        "digest": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
    }


def rendered(raw: Path) -> dict[str, Any]:
    """How a raw folder was rendered, under `rendered`; empty for real data."""
    path = raw / RENDERED
    return {"rendered": json.loads(path.read_text())} if path.is_file() else {}


def _name(path: Path, raw: Path) -> str:
    return str(path.relative_to(raw)) if path.is_relative_to(raw) else path.name
