"""What one measurement of `benchmark.py gpu` is."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.benchmarks.gpu_report import Row


class SkippedError(Exception):
    """A measurement that cannot be taken here, for a reason that is no defect."""


@dataclass(frozen=True)
class Measurement:
    """One row of the report before it is measured.

    Args:
        section: of the report.
        names: what is measured, by column.
        run: measures, and returns the figures by column. What it allocates it lets go.
        seconds: a guess, on a large GPU at the paper's size.
        last: whether it waits until all others are done, because it may take long.
    """

    section: str
    names: dict[str, str]
    run: Callable[[], Row]
    seconds: float = 5.0
    last: bool = False

    @property
    def name(self) -> str:
        """All names in one line."""
        return ", ".join(self.names.values())
