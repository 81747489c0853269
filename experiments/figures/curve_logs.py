"""The logs of one or several experiments, epoch by epoch, and their means over the runs."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from experiments.evaluation.experiments import Experiment, find_experiments
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.statistics import estimate
from experiments.figures.omissions import omit
from experiments.runs.errors import RunError, reading

Log = dict[str, list[float]]
"""A run's columns, with a value for each epoch."""


@dataclass(frozen=True)
class Curves:
    """The runs of one experiment, with their logs.

    Args:
        label: of the experiment.
        runs: by fold and seed.
        logs: in the same order, all with the same columns and epochs.
    """

    label: str
    runs: Sequence[FinishedRun]
    logs: Sequence[Log]

    @property
    def metrics(self) -> dict[str, Any]:
        """Return what one of the runs says of itself."""
        return self.runs[0].metrics

    @property
    def covers(self) -> str:
        """Say what a standard error is taken over."""
        return estimate({run.key: 0.0 for run in self.runs}).covers()

    def curve(self, column: str) -> list[dict[str, Any]]:
        """Return a row for each epoch, from 1 on: its mean over the runs, with standard error."""
        return [self._mean(column, epoch) for epoch in range(len(self.logs[0][column]))]

    def _mean(self, column: str, epoch: int) -> dict[str, Any]:
        pairs = zip(self.runs, self.logs, strict=True)
        e = estimate({run.key: log[column][epoch] for run, log in pairs})
        error = None if math.isnan(e.error) else e.error
        counts = {"units": e.units, "unit": e.unit, "runs": e.runs}
        return {"epoch": epoch + 1, "mean": e.mean, "error": error, **counts}

    def chosen(self, rule: str) -> list[int]:
        """Return the epoch that a rule chose in each run; nothing where it chose several."""
        epochs = [run.metrics["reported"].get(rule, {}).get("epoch") for run in self.runs]
        return [epoch + 1 for epoch in epochs if isinstance(epoch, int)]


def read_curves(run: str | Sequence[str], console: Console) -> list[Curves]:
    """Read the logs of all complete runs there; a line names each run that is left out.

    Raises:
        RunError: if the runs are of several tasks, or none has a log.
    """
    experiments, left_out = find_experiments(run)
    for reason in left_out:
        omit(reason, console)
    if len(tasks := {str(e.runs[0].metrics["task"]) for e in experiments}) > 1:
        raise RunError(f"expected runs of one task, found {', '.join(sorted(tasks))}: name one")
    found = [_with_logs(experiment, console) for experiment in experiments]
    curves = [one for one in found if one.runs]
    if not curves:
        raise RunError(
            "none of the complete runs has a log that can be read, for the reasons above: there "
            "is nothing to draw"
        )
    return curves


def read_log(run: FinishedRun) -> Log:
    """Read a run's `log.csv`.

    Raises:
        RunError: if it is missing or no log of epochs from 0 on.
    """
    file = run.folder.path / "log.csv"
    if not file.exists():
        raise RunError(f"{file}: no such file; a run that trained nothing here has no log")
    with reading(file, "a row of numbers for each epoch", "train the run again"):
        with file.open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        log = {name: [float(row[name]) for row in rows] for name in rows[0]}
        epochs = log["epoch"]
    if epochs != list(range(len(epochs))):
        raise RunError(f"{file}: expected the epochs from 0 on, each once: train the run again")
    return log


def _with_logs(experiment: Experiment, console: Console) -> Curves:
    """Keep the runs whose logs have the columns and as many epochs as the longest."""
    found: list[tuple[FinishedRun, Log]] = []
    for run in experiment.runs:
        try:
            found.append((run, read_log(run)))
        except RunError as error:
            omit(str(error), console)
    longest = max((log for _, log in found), key=lambda log: len(log["epoch"]), default={})
    kept = []
    for run, log in found:
        if log.keys() == longest.keys() and log["epoch"] == longest["epoch"]:
            kept.append((run, log))
            continue
        omit(
            f"{run.folder.path / 'log.csv'}: expected {len(longest['epoch'])} epochs and the "
            f"columns {', '.join(longest)}, found {len(log['epoch'])} and {', '.join(log)}: train "
            "the run again",
            console,
        )
    return Curves(experiment.label, [run for run, _ in kept], [log for _, log in kept])
