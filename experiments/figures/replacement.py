"""Recordings one of whose modalities is another recording's, drawn: accuracy and attention."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from rich.console import Console

from experiments.console import console
from experiments.evaluation.statistics import estimate
from experiments.evaluation.terminal import sample_mark
from experiments.figures.parts import legend_below, titled_figure
from experiments.figures.replacement_rows import (
    GROUPS,
    accuracy_rows,
    attention_rows,
    difference_rows,
    find_compared,
)
from experiments.figures.style import COLORS, LOOK, MARKERS, save


def replacement_figure(
    out: Path,
    run: str | Sequence[str],
    rule: str | None = None,
    *,
    trust: bool = False,
    console: Console = console,
) -> list[Path]:
    """Draw accuracy, MSAF's difference to each other fusion, and the change of its attention.

    Args:
        out: the folder.
        run: folders or patterns, of MSAF and of what it is compared with.
        rule: the reporting rule; by default the runs' headline.
        trust: as for `reopen`.
        console: where progress and omissions go.

    Returns:
        The files that were written.

    Raises:
        RunError: as `find_compared` says.
    """
    found = find_compared(run, rule, trust, console)
    rows = accuracy_rows(found) + difference_rows(found) + attention_rows(found)
    first = found.evaluations[found.reference]
    over = estimate(dict.fromkeys(first.predictions, 0.0)).covers()
    mark = sample_mark(first.provenance)
    title = f"{first.metrics['task']}{mark}, one modality replaced; {first.rule}, test split"
    with rc_context(LOOK):
        height = 1.2 + 0.22 * len(found.evaluations)
        figure = titled_figure(f"{title}\nbars: standard error, {over}", columns=2, height=height)
        accuracy, gain, attention = figure.subplots(1, 3)
        names = list(found.evaluations)
        _draw(accuracy, [row for row in rows if row["quantity"] == "accuracy"], names)
        _draw(gain, [row for row in rows if row["quantity"] == "difference"], names)
        gain.set_yticklabels([])
        _draw_attention(attention, [row for row in rows if row["quantity"] == "attention"])
        accuracy.set(xlabel="accuracy (%)")
        gain.set(xlabel=f"{found.reference} less the other (points)")
        attention.set(xlabel="share where replaced\nless share where intact")
        for axes in (gain, attention):
            axes.axvline(0, color="gray", linewidth=0.8, linestyle="--")
        legend_below(figure, accuracy)
    return save(figure, out / "replacement", rows)


def _draw(axes: Axes, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Draw a line for each experiment, with a mark for each group of recordings."""
    for number, group in enumerate(GROUPS):
        own = [row for row in rows if row["group"] == group]
        aside = 0.18 * (number - (len(GROUPS) - 1) / 2)
        places = [names.index(row["experiment"]) + aside for row in own]
        _mark(axes, own, places, color=COLORS[number], marker=MARKERS[number], label=group)
    _name(axes, names)


def _draw_attention(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw a line for each module and modality, the mean of all below."""
    _mark(axes, rows, range(len(rows)), color="black", marker="o")
    names = [", ".join(dict.fromkeys((row["modality"], row["group"]))) for row in rows]
    _name(axes, names)


def _mark(axes: Axes, rows: Sequence[dict[str, Any]], places: Sequence[float], **look: Any) -> None:
    values, errors = ([row[key] or 0.0 for row in rows] for key in ("mean", "error"))
    axes.errorbar(values, places, xerr=errors, linestyle="none", elinewidth=0.8, **look)


def _name(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", linewidth=0.4, color="#dddddd")
