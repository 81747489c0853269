"""Learning curves of one or several experiments, from the `log.csv` of each run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from rich.console import Console

from experiments.console import console
from experiments.evaluation.terminal import listed_places, sample_mark
from experiments.figures.curve_logs import Experiment, read_experiments, short_names
from experiments.figures.parts import legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, save
from experiments.runs.folder import RunError

LOSS = "train/loss"
STYLES = {"train": "--", "test": "-", "validation": ":"}


def curves_figure(
    out: Path, run: str | Sequence[str], rule: str | None = None, *, console: Console = console
) -> list[Path]:
    """Draw the learning curves and return the files that were written.

    Left the training loss, right the task's first metric on each split. A mark below a curve is the
    epoch that the rule chose in a run.

    Args:
        out: the folder.
        run: folders or patterns, of one or several experiments of one task.
        rule: whose epochs are marked; by default the runs' headline.
        console: where omissions go.

    Raises:
        RunError: if the runs are of several tasks, have no such rule, or no run has a log.
    """
    experiments = read_experiments(run, console)
    reported, headline = (experiments[0].metrics[key] for key in ("reported", "headline"))
    chosen = rule or headline
    if chosen not in reported:
        raise RunError(f"rule={rule}: the runs report under {', '.join(reported)}; choose one")
    metric = next(iter(reported[headline]["test"]))
    rows = curve_rows(experiments, [LOSS, *(f"{split}/{metric}" for split in STYLES)])
    with rc_context(LOOK):
        figure = titled_figure(_title(experiments), columns=2, height=2.6)
        left, right = figure.subplots(1, 2)
        _draw(left, [row for row in rows if row["column"] == LOSS])
        _draw(right, [row for row in rows if row["column"] != LOSS])
        left.set_ylabel("training loss")
        right.set_ylabel(metric)
        for number, experiment in enumerate(experiments):
            _mark(right, experiment.chosen(chosen), number)
        right.plot([], [], "|", color="gray", label=f"epoch of {chosen}, one a run")
        legend_below(figure, right)
    return save(figure, out / "curves", rows)


def curve_rows(experiments: Sequence[Experiment], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each experiment, column of its log and epoch: the mean over the runs."""
    return [
        {
            "experiment": name,
            "hash": experiment.metrics["hash"],
            "column": column,
            **row,
            "provenance": experiment.metrics["provenance"],
        }
        for name, experiment in zip(short_names(experiments), experiments, strict=True)
        for column in columns
        if column in experiment.logs[0]
        for row in experiment.curve(column)
    ]


def _title(experiments: Sequence[Experiment]) -> str:
    places = {listed_places(run.key for run in e.runs) for e in experiments}
    where = places.pop() if len(places) == 1 else "folds and seeds differ"
    over = "; ".join(dict.fromkeys(e.covers for e in experiments))
    mark = sample_mark(*(e.metrics["provenance"] for e in experiments))
    return f"{experiments[0].metrics['task']}, {where}{mark}\nbands: standard error, {over}"


def _draw(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw a curve for each experiment, in its color, and column, in its split's style."""
    columns = list(dict.fromkeys(row["column"] for row in rows))
    for number, name in enumerate(dict.fromkeys(row["experiment"] for row in rows)):
        color = COLORS[number % len(COLORS)]
        axes.plot([], [], color=color, label=name)
        for column in columns:
            mine = [row for row in rows if (row["experiment"], row["column"]) == (name, column)]
            epochs = [row["epoch"] for row in mine]
            mean = np.array([row["mean"] for row in mine])
            error = np.array([row["error"] or 0.0 for row in mine])
            axes.plot(epochs, mean, _style(column), color=color, linewidth=1.0)
            band: Any = {"color": color, "alpha": 0.2, "linewidth": 0}
            axes.fill_between(epochs, mean - error, mean + error, **band)
    for column in columns:
        axes.plot([], [], _style(column), color="gray", label=column.partition("/")[0])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")


def _style(column: str) -> str:
    return "-" if column == LOSS else STYLES[column.partition("/")[0]]


def _mark(axes: Axes, epochs: Sequence[int], number: int) -> None:
    """Mark the chosen epochs below the curves, each experiment on a line of its own."""
    heights = np.full(len(epochs), 0.02 + 0.035 * number)
    color = COLORS[number % len(COLORS)]
    axes.plot(epochs, heights, "|", color=color, transform=axes.get_xaxis_transform(), alpha=0.7)
