"""Learning curves of one or several experiments, from the `log.csv` of each run."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from rich.console import Console

from experiments.console import console
from experiments.evaluation.finished import FinishedRun, find_runs
from experiments.evaluation.places import run_folders
from experiments.evaluation.statistics import RunKey, estimate
from experiments.evaluation.terminal import listed_places, run_name, sample_mark
from experiments.figures.omissions import omit, omit_incomplete
from experiments.figures.parts import legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, save
from experiments.runs.folder import RunError

STYLES = {"train": "--", "test": "-", "validation": ":"}

Log = dict[str, list[float]]
"""A run's columns, with a value for each epoch."""


@dataclass(frozen=True)
class Experiment:
    """The runs of one experiment, with their logs.

    Args:
        runs: those that have a log, by fold and seed.
        logs: in the same order.
    """

    runs: Sequence[FinishedRun]
    logs: Sequence[Log]

    @property
    def metrics(self) -> dict[str, Any]:
        """Return what one of the runs says of itself."""
        return self.runs[0].metrics

    def curve(self, column: str) -> list[dict[str, Any]]:
        """Return a row for each epoch: its mean over the runs, with the standard error."""
        rows = []
        for epoch in range(len(self.logs[0]["epoch"])):
            pairs = zip(self.runs, self.logs, strict=True)
            e = estimate({run.key: log[column][epoch] for run, log in pairs})
            error = None if np.isnan(e.error) else e.error
            rows.append({"epoch": epoch, "mean": e.mean, "error": error, "units": e.units,
                         "unit": e.unit, "runs": e.runs})  # fmt: skip
        return rows

    def chosen(self, rule: str) -> list[int]:
        """Return the epoch that a rule chose in each run; nothing if it chose none as a whole."""
        epochs = [run.metrics["reported"].get(rule, {}).get("epoch") for run in self.runs]
        return [epoch for epoch in epochs if isinstance(epoch, int)]


def curves_figure(
    out: Path, run: str | Sequence[str], rule: str | None = None, *, console: Console = console
) -> list[Path]:
    """Draw the learning curves and return the files that were written.

    Args:
        out: the folder.
        run: folders or patterns, of one or several experiments of one task.
        rule: whose epochs are marked; by default the runs' headline.
        console: where omissions go.

    Raises:
        RunError: if the runs are of several tasks, have no such rule, or no run has a log.
    """
    experiments = read_experiments(run, console)
    first = experiments[0].metrics
    chosen = rule or first["headline"]
    if chosen not in first["reported"]:
        raise RunError(f"rule={rule}: the runs report under {', '.join(first['reported'])}")
    names = _names(experiments)
    metric = next(iter(first["reported"][first["headline"]]["test"]))
    columns = [["train/loss"], [f"{split}/{metric}" for split in STYLES]]
    rows = [
        {"experiment": name, "hash": e.metrics["hash"], "column": column, **row,
         "provenance": e.metrics["provenance"]}
        for name, e in zip(names, experiments, strict=True)
        for column in columns[0] + columns[1]
        if column in e.logs[0]
        for row in e.curve(column)
    ]  # fmt: skip
    with rc_context(LOOK):
        figure = titled_figure(_title(experiments, chosen), columns=2, height=2.6)
        left, right = figure.subplots(1, 2)
        for axes, shown in ((left, columns[0]), (right, columns[1])):
            for number, name in enumerate(names):
                mine = [row for row in rows if row["experiment"] == name]
                _draw(axes, mine, shown, COLORS[number % len(COLORS)], name)
            axes.set_xlabel("epoch")
        left.set_ylabel("training loss")
        right.set_ylabel(metric)
        for number, experiment in enumerate(experiments):
            _mark(right, experiment.chosen(chosen), COLORS[number % len(COLORS)], number)
        there = {row["column"].partition("/")[0] for row in rows if row["column"] != "train/loss"}
        for split in (s for s in STYLES if s in there):
            right.plot([], [], color="gray", linestyle=STYLES[split], label=split)
        right.plot([], [], "|", color="gray", label=f"epoch of {chosen}, one a run")
        legend_below(figure, right)
    return save(figure, out / "curves", rows)


def read_experiments(run: str | Sequence[str], console: Console) -> list[Experiment]:
    """Read the logs of all complete runs there; a line names each run that is left out.

    Raises:
        RunError: if the runs are of several tasks, a run is there twice, or none has a log.
    """
    omit_incomplete(run, console)
    groups: dict[tuple[str, str], list[str]] = {}
    for folder in run_folders(run):
        m = folder.metrics()
        groups.setdefault((m["task"], m["hash"]), []).append(str(folder.path))
    if len(tasks := {task for task, _ in groups}) > 1:
        raise RunError(f"expected runs of one task, found {', '.join(sorted(tasks))}: name one")
    found = [_with_logs(find_runs(paths), console) for paths in groups.values()]
    experiments = [experiment for experiment in found if experiment.runs]
    if not experiments:
        raise RunError("none of the complete runs has a log that can be read: nothing to draw")
    return experiments


def read_log(run: FinishedRun) -> Log:
    """Read a run's `log.csv`.

    Raises:
        RunError: if it is missing or no log of epochs from 0 on.
    """
    file = run.folder.path / "log.csv"
    try:
        with file.open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        log = {name: [float(row[name]) for row in rows] for name in rows[0]}
        epochs = log["epoch"]
    except FileNotFoundError:
        raise RunError(f"{file}: no such file; a run that trains nothing has no log") from None
    except (OSError, ValueError, TypeError, KeyError, IndexError, csv.Error) as error:
        raise RunError(f"{file}: expected a row of numbers for each epoch: {error!r}") from None
    if epochs != list(range(len(epochs))):
        raise RunError(f"{file}: expected the epochs from 0 on, found {epochs[:3]}...")
    return log


def _with_logs(runs: Iterable[FinishedRun], console: Console) -> Experiment:
    """Keep the runs whose logs have the same columns and as many epochs as the longest."""
    found: dict[RunKey, tuple[FinishedRun, Log]] = {}
    for run in runs:
        try:
            found[run.key] = run, read_log(run)
        except RunError as error:
            omit(str(error), console)
    most = max((len(log["epoch"]) for _, log in found.values()), default=0)
    whole = []
    for run, log in found.values():
        if len(log["epoch"]) < most:
            file = run.folder.path / "log.csv"
            omit(f"{file}: expected {most} epochs, found {len(log['epoch'])}", console)
        else:
            whole.append((run, log))
    return Experiment([run for run, _ in whole], [log for _, log in whole])


def _names(experiments: Sequence[Experiment]) -> list[str]:
    """Return the shortest names that tell the experiments apart."""
    every = [e.metrics for e in experiments]
    plain = [m["fusion"] for m in every]
    longer = [run_name(m).replace(" + ", "+") for m in every]
    full = [f"{name} {m['hash']}" for name, m in zip(longer, every, strict=True)]
    return next((names for names in (plain, longer) if len(set(names)) == len(names)), full)


def _title(experiments: Sequence[Experiment], rule: str) -> str:
    mark = sample_mark(*(e.metrics["provenance"] for e in experiments))
    places = {listed_places(run.key for run in e.runs) for e in experiments}
    where = places.pop() if len(places) == 1 else "other folds and seeds each"
    over = {estimate({run.key: 0.0 for run in e.runs}).covers() for e in experiments}
    task = experiments[0].metrics["task"]
    return f"{task}, {where}{mark}\nbands: standard error, {'; '.join(sorted(over))}"


def _draw(
    axes: Axes, rows: Sequence[dict[str, Any]], columns: Sequence[str], color: str, name: str
) -> None:
    for number, column in enumerate(columns):
        mine = [row for row in rows if row["column"] == column]
        if not mine:
            continue
        epochs = [row["epoch"] for row in mine]
        mean = np.array([row["mean"] for row in mine])
        error = np.array([row["error"] or 0.0 for row in mine])
        style = STYLES[column.partition("/")[0]] if len(columns) > 1 else "-"
        label = name if number == len(columns) - 1 or column.startswith("test") else None
        axes.plot(epochs, mean, style, color=color, label=label, linewidth=1.0)
        axes.fill_between(epochs, mean - error, mean + error, color=color, alpha=0.2, linewidth=0)


def _mark(axes: Axes, epochs: Sequence[int], color: str, number: int) -> None:
    """Mark the chosen epochs below the curves, each experiment on a line of its own."""
    height = np.full(len(epochs), 0.02 + 0.035 * number)
    axes.plot(epochs, height, "|", color=color, transform=axes.get_xaxis_transform(), alpha=0.7)
