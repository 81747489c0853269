"""Files that are either whole or not there."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def existing_folder(path: Path, key: str) -> Path:
    """Return a folder that a user named.

    Raises:
        ValueError: there is none.
    """
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise ValueError(f"{key}={path}: expected a folder, found {found}")
    return path


def usable_folder(path: Path, key: str) -> Path:
    """Return a folder to write to, which may not be there yet.

    Raises:
        ValueError: something of the way there is a file.
    """
    file = next((part for part in (path, *path.parents) if part.is_file()), None)
    if file is not None:
        raise ValueError(f"{key}={path}: expected a folder, found the file {file}; choose another")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; rename it over `path` once it is complete.

    Raises:
        OSError: it cannot be written; the error names `path`, and not what lay beside it.

    The bytes are on the disk before they get the name, so that a power cut leaves the file before
    or the new one, and not an empty one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        _to_disk(beside)
        beside.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(path)) from error
    except RuntimeError as error:  # what torch.save makes of a full disk
        reason = str(error).splitlines()[0]
        raise OSError(None, f"cannot be written: {reason}", str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as beside:
        beside.write_text(text)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` produce a file atomically."""
    with replacing(path) as beside:
        write(beside)
