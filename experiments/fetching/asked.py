"""Data sets that have to be asked for: what, where, and whether what lies there is all of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from omegaconf import DictConfig
from rich.console import Console

from experiments.runs.compose import build

_MARKS = {"complete": "green", "partial": "yellow", "missing": "yellow", "wrong": "bold red"}
_AGAIN = "The same command looks again."


class Holding(Protocol):
    """Something of a data set, and whether it lies in the raw folder."""

    @property
    def name(self) -> str:
        """What it is."""

    @property
    def state(self) -> str:
        """`complete`, `partial`, `missing` or `wrong`: of another size, or unreadable."""

    @property
    def detail(self) -> str:
        """What was found, and what to do."""

    @property
    def needed(self) -> bool:
        """Whether nothing can be prepared without it."""


def look(task: str, node: DictConfig, out: Path, console: Console) -> int:
    """Say what to ask for and what lies there; 0 if that is whole and can be prepared, else 1.

    Args:
        task: of the data set.
        node: `configs/download/<task>.yaml`.
        out: the raw folder.
        console: prints.
    """
    console.print(f"{node.title} ({node.licence}) cannot be fetched by a command.", markup=False)
    console.print(node.ask.rstrip(), markup=False, highlight=False)
    if not out.exists():
        console.print(f"\n{out} is not there yet. {_AGAIN}", markup=False, highlight=False)
        return 1
    found: Iterable[Holding] = build(node.look, raw=str(out))
    console.print(f"\nIn {out}:", markup=False, highlight=False)
    held = list(found)
    for one in held:
        console.print(f"  {one.state:9}", style=_MARKS[one.state], end="", highlight=False)
        console.print(f"{one.name}: {one.detail}", markup=False, highlight=False)
    lacking = [
        one for one in held if one.state == "wrong" or (one.needed and one.state == "missing")
    ]
    if lacking:
        console.print(f"\n{_AGAIN}")
        return 1
    console.print(f"\nnext: python scripts/prepare.py task={task} raw={out}", markup=False)
    return 0
