"""What lies in a raw folder of a data set that users have to ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from datamodules.packed.errors import DataError, reading
from datamodules.packed.source import rendered

State = Literal["complete", "partial", "missing", "wrong"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Holding:
    """One thing of a data set.

    Args:
        name: what it is.
        state: all there, some of it, nothing, or `wrong`: of another size, or unreadable.
        detail: what was found, and what to do.
        needed: nothing can be prepared without it.
    """

    name: str
    state: State
    detail: str
    needed: bool = False


def sample_notice(raw: Path) -> list[Holding]:
    """What tells a rendered sample from the data set."""
    if not rendered(raw):
        return []
    return [Holding("sample", "partial", "rendered by this project; it is not the data set")]


def looked_at(path: Path, read: Callable[[Path], Result]) -> Result | str:
    """What a reader makes of a file, or why it cannot be read."""
    try:
        with reading(path):
            return read(path)
    except DataError as error:
        return str(error)
