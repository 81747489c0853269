"""Tables of finished runs for the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.folder import RunFolder


def print_runs(folders: Sequence[RunFolder], console: Console) -> float:
    """Print runs side by side under every reporting rule; return the last one's headline figure."""
    runs = [folder.metrics() for folder in folders]
    rules = list(runs[-1]["reported"])
    sample = any(run["provenance"] == "sample" for run in runs)
    head = runs[-1]
    title = f"{head['task']}, fold {head['fold']}, seed {head['seed']}: {metric_name(head)} on test"
    table = Table(title=title + (" (sample data)" if sample else ""))
    table.add_column("run")
    table.add_column("parameters", justify="right")
    for rule in rules:
        table.add_column(rule + (" *" if rule == head["headline"] else ""), justify="right")
    for run in runs:
        figures = [f"{figure(run, rule):.1f}" for rule in rules]
        name = f"{run['fusion']} ({'+'.join(run['modalities'])})"
        table.add_row(name, f"{run['parameters']['total']:,}", *figures)
    console.print(table)
    console.print("* the headline; paper_rule chooses its epoch on the test data")
    console.print(str(folders[-1].path), style="bold")
    return figure(head, head["headline"])


def figure(run: dict[str, Any], rule: str) -> float:
    """Return a run's first metric on the test split under a reporting rule."""
    return run["reported"][rule]["test"][metric_name(run)]


def metric_name(run: dict[str, Any]) -> str:
    """Return the name of the metric that a task puts first."""
    return next(iter(run["reported"]["last_epoch"]["test"]))
