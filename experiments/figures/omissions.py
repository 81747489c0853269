"""Runs that a figure leaves out: a line names each, so that no mean lacks one in silence."""

from collections.abc import Sequence

from rich.console import Console

from experiments.evaluation.places import incomplete_runs


def omit(reason: str, console: Console) -> None:
    """Say what is left out, and why."""
    console.print(f"left out: {reason}", markup=False, highlight=False)


def omit_incomplete(run: str | Sequence[str], console: Console) -> None:
    """Name the runs in some places that are begun and not complete."""
    for path in incomplete_runs(run):
        omit(f"{path}: the run is not complete; its train command goes on with it", console)
