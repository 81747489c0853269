"""Tables of finished runs for the terminal."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf
from rich import box
from rich.console import Console
from rich.table import Table

from experiments.classes import ClassReport
from experiments.evaluation import Difference, Evaluation
from experiments.folder import RunFolder
from experiments.statistics import Estimate


def print_runs(folders: Sequence[RunFolder], console: Console) -> float:
    """Print runs side by side under every reporting rule; return the last one's headline figure."""
    runs = [folder.metrics() for folder in folders]
    head = runs[-1]
    rules = list(head["reported"])
    title = f"{head['task']}, fold {head['fold']}, seed {head['seed']}: {metric_name(head)} on test"
    mark = sample_mark(*(run["provenance"] for run in runs))
    table = plain_table(["run"], ["parameters", *marked(head, rules)])
    for run in runs:
        figures = [f"{figure(run, rule):.1f}" for rule in rules]
        table.add_row(run_name(run), f"{run['parameters']['total']:,}", *figures)
    show(title + mark, table, console)
    console.print(footnote(folders[-1], rules))
    console.print(str(folders[-1].path), style="bold", markup=False)
    return figure(head, head["headline"])


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the figures under every rule, then each class's and the confusion matrix of one."""
    runs, names = evaluation.runs, evaluation.metric_names
    table = plain_table(["rule"], ["epoch", *names])
    for rule, mark in zip(
        evaluation.rules, marked(evaluation.metrics, evaluation.rules), strict=True
    ):
        epoch = evaluation.metrics["reported"][rule]["epoch"]
        one = len(runs) == 1 and epoch is not None
        figures = evaluation.figures()[rule]
        table.add_row(mark, str(epoch + 1) if one else "-", *map(with_error, figures.values()))
    show(evaluation_title(evaluation), table, console)
    if len(runs) > 1:
        covered = evaluation.figures()[evaluation.rule][names[0]].covers()
        console.print(f"mean ± standard error over {covered} ({len(runs)} runs)")
    console.print(footnote(runs[0].folder, evaluation.rules))
    if evaluation.classifies:
        _print_classes(evaluation.report, evaluation.rule, len(runs), console)


def print_difference(
    first: Evaluation, second: Evaluation, difference: Difference, console: Console
) -> None:
    """Print what separates two sets of runs under one rule."""
    names = [run_name(e.metrics) for e in (first, second)]
    mark = sample_mark(first.provenance, second.provenance)
    title = f"{names[0]} minus {names[1]}, {first.rule}{mark}"
    table = plain_table(["metric"], ["first", "second", "difference"])
    for metric, estimate in difference.metrics.items():
        one, other = (e.figures()[e.rule][metric] for e in (first, second))
        table.add_row(metric, with_error(one), with_error(other), with_error(estimate, sign=True))
    show(title, table, console)
    covered = next(iter(difference.metrics.values())).covers()
    console.print(f"paired by fold and seed, ± standard error of the difference: {covered}")
    if difference.samples:
        text = with_error(difference.samples, sign=True)
        console.print(f"accuracy paired by sample: {text} over {difference.samples.units} samples")


def _print_classes(report: ClassReport, rule: str, runs: int, console: Console) -> None:
    pooled = f", {runs} runs pooled" if runs > 1 else ""
    table = plain_table(["class"], ["n", "recall", "precision", "f1"])
    for row in report.rows():
        figures = [f"{row[key]:.1f}" for key in ("recall", "precision", "f1")]
        table.add_row(row["class"], str(row["n"]), *figures)
    show(f"classes, {rule}{pooled}", table, console)
    if len(report.names) > 12:
        return  # too wide for any terminal; the files have it
    short = [name[:4] for name in report.names]
    table = plain_table(["true \\ predicted"], short)
    for name, counts in zip(report.names, report.confusion.tolist(), strict=True):
        table.add_row(name, *map(str, counts))
    show(f"confusion, {rule}{pooled}", table, console)


def evaluation_title(evaluation: Evaluation) -> str:
    """Return what an evaluation is of: task, fusion, folds, seeds, and whether data is sample."""
    folds = _listed("fold", {run.key[0] for run in evaluation.runs})
    seeds = _listed("seed", {run.key[1] for run in evaluation.runs})
    name = f"{evaluation.metrics['task']}, {run_name(evaluation.metrics)}, {folds}, {seeds}"
    return name + sample_mark(evaluation.provenance)


def footnote(folder: RunFolder, rules: Iterable[str]) -> str:
    """Say which figure is the headline, and which rules choose their epoch by a look at what."""
    config = folder.path / "config.yaml"
    known: Any = OmegaConf.load(config) if config.is_file() else {}
    known = known.get("reporting", {})
    splits: dict[str, list[str]] = {}
    for rule in rules:
        split = known.get(rule, {}).get("split")
        if split:
            splits.setdefault(split, []).append(rule)
    told = [f"{' and '.join(names)}: epoch chosen on the {s} data" for s, names in splits.items()]
    return "; ".join(["* the headline", *told])


def plain_table(left: Sequence[str], right: Sequence[str]) -> Table:
    """Return a narrow table; text to the left may wrap, figures to the right never do."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def show(title: str, table: Table, console: Console) -> None:
    """Print a table within the console's width, and its title above, on one line."""
    console.print(f"\n{title}", style="bold", markup=False, highlight=False)
    console.print(table, soft_wrap=False)


def marked(run: dict[str, Any], rules: Sequence[str]) -> list[str]:
    """Return the rules' names, the headline's with a star."""
    return [rule + ("*" if rule == run["headline"] else "") for rule in rules]


def sample_mark(*provenances: str) -> str:
    """Return what stands behind everything that comes from sample data."""
    return " (sample data)" if "sample" in provenances else ""


def with_error(estimate: Estimate, *, sign: bool = False) -> str:
    """Return `57.1 ± 0.4`, or the mean alone where there is no error."""
    mean = f"{estimate.mean:+.1f}" if sign else f"{estimate.mean:.1f}"
    return mean if math.isnan(estimate.error) else f"{mean} ± {estimate.error:.1f}"


def run_name(run: dict[str, Any]) -> str:
    """Return a run's fusion and modalities; spaces, so that it can wrap in a narrow table."""
    return f"{run['fusion']} ({' + '.join(run['modalities'])})"


def figure(run: dict[str, Any], rule: str) -> float:
    """Return a run's first metric on the test split under a reporting rule."""
    return run["reported"][rule]["test"][metric_name(run)]


def metric_name(run: dict[str, Any]) -> str:
    """Return the name of the metric that a task puts first."""
    return next(iter(run["reported"]["last_epoch"]["test"]))


def _listed(name: str, values: Iterable[Any]) -> str:
    found = sorted(values, key=lambda value: (isinstance(value, str), value))
    return f"{name}{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def complexity_table(parameters: Mapping[str, int], flops: Mapping[str, int]) -> Table:
    """Return parameters and FLOPs by part, the total last."""
    table = plain_table(["at the paper's size"], ["parameters", "FLOPs a sample"])
    for part in [*(name for name in flops if name != "total"), "total"]:
        table.add_row(part, f"{parameters[part]:,}", f"{flops[part]:,}")
    if parameters["with_heads"] != parameters["total"]:
        table.add_row("with unused heads, as the paper", f"{parameters['with_heads']:,}", "")
    return table
