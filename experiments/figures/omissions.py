"""Runs that a figure leaves out: a line names each, so that no mean lacks one in silence."""

from rich.console import Console


def omit(reason: str, console: Console) -> None:
    """Say what is left out, and why."""
    console.print(f"left out: {reason}", markup=False, highlight=False)
