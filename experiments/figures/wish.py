"""What a user asks of `scripts/figures.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.figures.attention_blocks import figure7
from experiments.figures.attention_classes import figure6
from experiments.figures.attention_samples import samples_figure
from experiments.figures.attention_segments import segments_figure
from experiments.figures.complexity import figure5
from experiments.figures.curves import curves_figure
from experiments.figures.replacement import replacement_figure
from experiments.files import usable_folder
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides


def _fusions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise RunError(f"fusions={value}: expected a list such as fusions=[msaf,mmtm]")
    return tuple(map(str, value))


def _run(value: Any) -> list[str]:
    places = value if isinstance(value, list) else [value]
    if not places or not all(isinstance(place, str) and place for place in places):
        raise RunError(f"run={value}: expected a folder, a pattern, or a list of them")
    return places


def _rule(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise RunError(f"rule={value}: expected a reporting rule such as last_epoch")
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "fusions": _fusions, "run": _run, "rule": _rule
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A figure that can be asked for.

    Args:
        draw: takes the folder, and by keyword what was asked for; returns the files.
        needs: the keys that have to be given.
        takes: those that may be given.
    """

    draw: Callable[..., list[Path]]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


def _of_runs(draw: Callable[..., list[Path]]) -> Kind:
    return Kind(draw, needs=("run",), takes=("rule", "trust"))


FIGURES = {
    "5": Kind(figure5, takes=("fusions",)),
    "6": _of_runs(figure6),
    "7": _of_runs(figure7),
    "segments": _of_runs(segments_figure),
    "samples": _of_runs(samples_figure),
    "replacement": _of_runs(replacement_figure),
    "curves": Kind(curves_figure, needs=("run",), takes=("rule",)),
}


@dataclass(frozen=True)
class Wish:
    """A figure, of what, and where to.

    Args:
        figure: its name in `FIGURES`.
        asked: the values of its keys that were given.
        out: the folder.
    """

    figure: str
    asked: Mapping[str, Any]
    out: Path

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Wish":
        """Read a command line.

        Raises:
            RunError: if a key or a value is none that it can have.
        """
        overrides = Overrides.typed(arguments, verbatim=("run", "out"))
        figure = str(overrides.value("figure", "..."))
        if figure not in FIGURES:
            raise RunError(f"figure={figure}: choose one of {', '.join(FIGURES)}")
        kind = FIGURES[figure]
        keys = ("figure", *kind.needs, *kind.takes, "out")
        overrides.refuse_others(*keys, of=f" of figure={figure}")
        for key in kind.needs:
            if key not in overrides:
                raise RunError(f"{key}=... is missing: figure={figure} is of what? (--help)")
        given = [key for key in (*kind.needs, *kind.takes) if key in overrides]
        asked = {key: READERS[key](overrides.value(key)) for key in given if key in READERS}
        asked |= {key: overrides.flag(key) for key in given if key == "trust"}
        out = usable_folder(Path(str(overrides.value("out", "results/figures"))), "out")
        return cls(figure, asked, out)

    def draw(self) -> list[Path]:
        """Draw the figure, and return the files that were written."""
        return FIGURES[self.figure].draw(self.out, **self.asked)
