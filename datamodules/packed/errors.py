"""The one exception of this package, and what turns others into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataError(ValueError):
    """Something is wrong with the data, and the user can put it right.

    The message names the file, what was expected, what was found and what to do.
    """


def no_folder(path: Path) -> str:
    """Say what is where a folder was expected and is none, for a message."""
    return "a file" if path.exists() else "no such folder"


@contextmanager
def reading(path: Path, advice: str = "fetch it again, or leave it out") -> Iterator[None]:
    """Name the file that a reader stumbles over, whatever it stumbles over.

    Readers say what is wrong with the damage that they know. One file with damage that they do not
    know must not end the work on thousands of others. A pipe would be waited for without end.

    Args:
        path: what is read.
        advice: what the user can do.

    Raises:
        DataError: in place of any exception but those that are not about the file.
    """
    if path.exists() and not path.is_file():
        found = "a folder" if path.is_dir() else "something that is no file"
        raise DataError(f"{path}: expected a file that can be read, found {found}; {advice}")
    try:
        yield
    except (DataError, MemoryError, ImportError):
        raise
    except Exception as error:
        raise DataError(
            f"{path}: expected a file that can be read, found damage ({type(error).__name__}: "
            f"{error}); {advice}"
        ) from error


def without_folders(error: DataError, *files: Path) -> str:
    """The message, with these files by their last names: a manifest tells no folders."""
    message = str(error)
    for file in files:
        message = message.replace(str(file), file.name)
    return message
