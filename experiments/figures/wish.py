"""What a user asks of `scripts/figures.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.figures.complexity import FUSIONS, figure5
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

KEYS = ("figure", "fusions", "out")


@dataclass(frozen=True)
class Wish:
    """A figure, of what, and where to.

    Args:
        fusions: those to show.
        out: the folder.
    """

    fusions: tuple[str, ...]
    out: Path

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Wish":
        """Read a command line.

        Raises:
            RunError: if a key or a value is none that it can have.
        """
        overrides = Overrides(arguments)
        if unknown := overrides.without(*KEYS).keys:
            raise RunError(f"{unknown[0]}: no such key; there are {', '.join(KEYS)}")
        if overrides.value("figure") != 5:
            raise RunError(f"figure={overrides.value('figure')}: choose figure=5")
        fusions = overrides.value("fusions", list(FUSIONS))
        if not isinstance(fusions, list) or not fusions:
            raise RunError(f"fusions={fusions}: expected a list such as fusions=[msaf,mmtm]")
        return cls(tuple(map(str, fusions)), Path(str(overrides.value("out", "results/figures"))))

    def draw(self) -> list[Path]:
        """Draw the figure, and return the files that were written."""
        return figure5(self.out, self.fusions)
