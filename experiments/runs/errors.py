"""The one exception of this package, and what turns a reader's into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RunError(ValueError):
    """Something about a run that the user can put right; the message says how."""


@contextmanager
def reading(
    file: Path, expected: str, advice: str, *, largest: int | None = None
) -> Iterator[None]:
    """Name the file that a reader stumbles over, whatever it stumbles over.

    What lies in the folder of a run may be cut off, flipped, somebody else's, or no file at all: a
    pipe would be waited for without end.

    Args:
        file: what is read.
        expected: what it should be.
        advice: what the user can do.
        largest: more bytes than that are not read.

    Raises:
        RunError: in place of any exception.
    """
    found = _what_is_there(file, largest)
    try:
        if not found:
            yield
    except RunError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        found = f"damage ({type(error).__name__}: {reason})" if file.stat().st_size else "nothing"
    if found:
        raise RunError(f"{file}: expected {expected}, found {found}; {advice}")


def _what_is_there(file: Path, largest: int | None) -> str:
    """Say what stands in the way of reading; nothing if it is a file of a fitting size."""
    if not file.exists():
        return "no such file"
    if not file.is_file():
        return "a folder" if file.is_dir() else "something that is no file"
    size = file.stat().st_size
    return f"{size / 1e6:.0f} MB" if largest is not None and size > largest else ""
