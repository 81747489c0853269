"""Robustness as plots: a metric, and the attention of MSAF, over the strength of a corruption."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

from experiments.figures.parts import legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, MARKERS, save
from experiments.robustness.conditions import CLEAN
from experiments.robustness.summary import attention, figures
from experiments.robustness.write import Robustness

Row = Mapping[str, Any]
DASHES = ("-", "--", ":")  # where there are more lines than colors


@dataclass(frozen=True)
class Line:
    """One line of a plot.

    Args:
        label: of the legend.
        rows: by condition, each with `mean` and `error`.
        level: a horizontal line of the same color, if there is one.
    """

    label: str
    rows: Sequence[Row]
    level: float | None = None


def draw_robustness(found: Robustness, out: Path) -> list[Path]:
    """Draw the main metric and the attention for each modality; return the files.

    Args:
        found: what was measured.
        out: the folder.
    """
    rows = [row for row in figures(found.every, None) if row["metric"] == found.metric]
    shares = list(attention(found.every))
    paths: list[Path] = []
    origin = {"provenance": found.provenance}
    for modality in dict.fromkeys(row["modality"] for row in rows if row["modality"]):
        lines = [
            Line(label, [{**row, **origin} for row in own])
            for label, own in _grouped(_of(rows, modality), lambda row: str(row["experiment"]))
            if any(row["modality"] for row in own)
        ]
        over = "; ".join(sorted({str(row["over"]) for row in rows}))
        title = f"{found.title}: {modality} missing or corrupted\n{found.rule}; errors: {over}"
        paths += _draw(lines, found.metric, title, out / f"robustness_{modality}")
        own = [row for row in _of(shares, modality) if row["share_of"] == modality]
        lines = [
            Line(label, [{**row, **origin} for row in part], level=float(part[0]["uniform"]))
            for label, part in _grouped(own, lambda row: f"{row['experiment']}, {row['module']}")
        ]
        if lines:
            name = f"attention on {modality}"
            paths += _draw(lines, name, title, out / f"attention_{modality}")
    return paths


def _draw(lines: Sequence[Line], metric: str, title: str, stem: Path) -> list[Path]:
    """Draw a panel for what is missing, and one for each corruption that has degrees."""
    panels = list(_panels(lines))
    with rc_context(LOOK):
        figure = titled_figure(title, columns=0.35 + 0.65 * len(panels), height=2.6)
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (name, unit, ticks) in zip(every, panels, strict=True):
            for number, line in enumerate(lines):
                _plot(axes, line, name, ticks, number, aside=(number - (len(lines) - 1) / 2) / 25)
            axes.set_title(name.replace("_", " "))
            axes.set_xticks(range(len(ticks)), ticks)
            axes.set(xlabel=unit)
            axes.grid(axis="y", linewidth=0.4, color="#dddddd")
        every[0].set(ylabel=metric)
        legend_below(figure, every[0])
    rows = [{"line": line.label, **row} for line in lines for row in line.rows]
    return save(figure, stem, rows)


def _panels(lines: Sequence[Line]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, unit and ticks of each panel; `missing` holds what has no degrees."""
    rows = [row for line in lines for row in line.rows if row["modality"]]
    missing = dict.fromkeys(row["corruption"] for row in rows if not row["unit"])
    if missing:
        yield "missing", "", [CLEAN.key, *missing]
    for name, own in _grouped([row for row in rows if row["unit"]], lambda r: str(r["corruption"])):
        yield name, own[0]["unit"], [CLEAN.key, *dict.fromkeys(_tick(row) for row in own)]


def _plot(
    axes: Axes, line: Line, name: str, ticks: Sequence[str], number: int, *, aside: float
) -> None:
    """Plot the points of a line that belong to a panel, a little aside of other lines' points."""
    own = [
        row for row in line.rows
        if row["corruption"] in (CLEAN.key, name) or (name == "missing" and not row["unit"])
    ]  # fmt: skip
    x = [ticks.index(_tick(row)) + aside for row in own]
    color = COLORS[number % len(COLORS)]
    axes.errorbar(
        x,
        [row["mean"] for row in own],
        yerr=[row["error"] or 0.0 for row in own],
        label=line.label,
        color=color,
        marker=MARKERS[(number + number // len(COLORS)) % len(MARKERS)],  # unlike its color's last
        linestyle="none" if name == "missing" else DASHES[number // len(COLORS) % len(DASHES)],
        elinewidth=0.7,
    )
    if line.level is not None:
        label = None if number else "uniform gate"
        axes.axhline(line.level, color=color, linewidth=0.8, linestyle=":", label=label)


def _tick(row: Row) -> str:
    return f"{row['strength']:g}" if row["unit"] else str(row["corruption"])


def _of(rows: Sequence[Row], modality: str) -> list[Row]:
    return [row for row in rows if row["modality"] in ("", modality)]


def _grouped(rows: Sequence[Row], by: Callable[[Row], str]) -> Iterator[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    yield from groups.items()
