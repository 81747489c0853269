"""The runs of a sweep as one table, and where they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from experiments.evaluation.terminal import how_rules_choose, listed_places, run_name
from experiments.metric import which_is_better
from experiments.runs.folder import RunFolder
from experiments.runs.rules import headline
from experiments.tables.fill import Filled, fill, unreadable
from experiments.tables.plan import Plan
from experiments.tables.table import Row, Table
from experiments.tables.write import show_rules


def print_sweep(todo: Plan, console: Console) -> list[str]:
    """Print the figures of a sweep's complete runs, row by row, and where the runs are.

    Returns:
        For each complete run that cannot be read, why.
    """
    broken = unreadable(todo)
    done = {f for row in todo.rows.values() for f in row if f.complete and f not in broken}
    rows = {
        name or run_name(_first(row, done).metrics()): row
        for name, row in todo.rows.items()
        if done & set(row)
    }
    if rows:
        filled = fill_sweep(replace(todo, rows=rows), done, list(broken))
        show_rules(filled, console)
        _explain(filled, done, console)
        _show_places(rows, console)
    return list(broken.values())


def fill_sweep(todo: Plan, done: Collection[RunFolder], left_out: Collection[RunFolder]) -> Filled:
    """Fill a table of a sweep's runs, under the headline rule and the paper's.

    Args:
        todo: the rows that have a complete run.
        done: the runs that count.
        left_out: complete runs that do not.
    """
    every = [folder.metrics() for folder in done]
    rule = headline(every[0]["reported"])
    places = [(metrics["fold"], metrics["seed"]) for metrics in every]
    tasks = sorted({metrics["task"] for metrics in every})
    known = [metrics["reported"][rule]["test"] for metrics in every]
    table = Table(
        name="sweep",
        title=f"{' and '.join(tasks)}, {listed_places(places)}",
        rows=tuple(Row(name) for name in todo.rows),
        folds=tuple({fold: None for fold, _ in places}),
        seeds=tuple({seed: None for _, seed in places}),
        metrics=tuple(name for name in known[0] if all(name in one for one in known)),
        reference="",
    )
    filled = fill(table, todo, {}, left_out=left_out)
    return replace(filled, rules=tuple(r for r in filled.rules if r in (rule, "paper_rule")))


def pattern(folders: Sequence[RunFolder]) -> str:
    """Return what `evaluate.py run=` takes for runs that differ in fold and seed alone."""
    paths = [folder.path for folder in folders]
    seeds, folds = {path.name for path in paths}, {path.parent.name for path in paths}
    fold = "fold*" if len(folds) > 1 else folds.pop()
    seed = "seed*" if len(seeds) > 1 else seeds.pop()
    return str(Path(paths[0].parents[1], fold, seed))


def _explain(filled: Filled, done: Collection[RunFolder], console: Console) -> None:
    rule, first = headline(filled.rules), filled.table.metrics[0]
    said = how_rules_choose(filled.reporting, filled.rules)
    covered = {e.covers(): e.units > 1 for e in (x.figures[rule][first] for x in filled.lines)}
    for text, error in covered.items():
        console.print("mean ± standard error over " * error + text, highlight=False)
    console.print("; ".join([f"{rule} is the headline", *said]), markup=False, highlight=False)
    if better := which_is_better(filled.table.metrics):
        console.print(better)
    if outdated := sum(folder.outdated for folder in done):
        text = f"{outdated} of {len(done)} runs made by other sources: rerun=true makes them again"
        console.print(text, highlight=False)


def _show_places(rows: Mapping[str, Sequence[RunFolder]], console: Console) -> None:
    console.print("\npython evaluate.py run='...', with one of", highlight=False)
    for name, folders in rows.items():
        console.print(f"  {name}", markup=False, highlight=False)
        console.print(f"    {pattern(folders)}", style="bold", markup=False, highlight=False)


def _first(folders: Sequence[RunFolder], done: Collection[RunFolder]) -> RunFolder:
    return next(folder for folder in folders if folder in done)
