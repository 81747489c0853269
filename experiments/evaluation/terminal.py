"""Tables of finished runs for the terminal."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from experiments.evaluation.classes import ClassReport
from experiments.evaluation.finished import Difference, Evaluation
from experiments.evaluation.statistics import Estimate, RunKey
from experiments.metric import number, which_is_better
from experiments.runs.folder import RunFolder

SEPARATE = "†"  # behind a rule that takes each metric from an epoch of its own
EACH = "each metric from its own best epoch on the {} data, so of no single network"


def print_runs(folders: Sequence[RunFolder], console: Console) -> float:
    """Print runs side by side under every reporting rule; return the last one's headline figure."""
    runs = [folder.metrics() for folder in folders]
    head = runs[-1]
    rules = list(head["reported"])
    title = f"{head['task']}, fold {head['fold']}, seed {head['seed']}: {metric_name(head)} on test"
    mark = sample_mark(*(run["provenance"] for run in runs))
    table = plain_table(["run"], ["parameters", *marked(head, rules)])
    for run in runs:
        figures = [number(metric_name(run), figure(run, rule)) for rule in rules]
        table.add_row(run_name(run), f"{run['parameters']['total']:,}", *figures)
    show(title + mark, table, console)
    if metric_name(head) != "accuracy":
        _print_every_metric(head, console)
    console.print(footnote(folders[-1], rules))
    console.print(str(folders[-1].path), style="bold", markup=False)
    return figure(head, head["headline"])


def _print_every_metric(run: dict[str, Any], console: Console) -> None:
    """Print all test figures of a run, a line for each rule."""
    rules = run["reported"]
    table = plain_table(["rule"], list(rules["last_epoch"]["test"]))
    for mark, reported in zip(marked(run, list(rules)), rules.values(), strict=True):
        table.add_row(mark, *(number(name, value) for name, value in reported["test"].items()))
    show(f"{run_name(run)}{sample_mark(run['provenance'])}", table, console)


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the figures under every rule, then each class's and the confusion matrix of one."""
    runs, names = evaluation.runs, evaluation.metric_names
    rules = marked(evaluation.metrics, evaluation.rules)
    columns = [_column(evaluation, rule) for rule in evaluation.rules]
    if len(names) > len(rules) + 1:  # side by side they would be wider than a terminal
        table = plain_table(["metric"], rules)
        lines = zip(["epoch", *names], *columns, strict=True)
    else:
        table = plain_table(["rule"], ["epoch", *names])
        lines = zip(rules, *zip(*columns, strict=True), strict=True)
    for line in lines:
        table.add_row(*line)
    show(evaluation_title(evaluation), table, console)
    if len(runs) > 1:
        covered = evaluation.figures()[evaluation.rule][names[0]].covers()
        console.print(f"mean ± standard error over {covered} ({len(runs)} runs)")
    console.print(footnote(runs[0].folder, evaluation.rules))
    if evaluation.classifies:
        _print_classes(evaluation.report, evaluation.rule, len(runs), console)
    else:
        _print_levels(evaluation, console)


def _column(evaluation: Evaluation, rule: str) -> list[str]:
    """Return the epoch that a rule chose, if it is one, and its figures."""
    epoch = evaluation.metrics["reported"][rule]["epoch"]
    one = len(evaluation.runs) == 1 and isinstance(epoch, int)
    figures = evaluation.figures()[rule]
    return [str(epoch + 1) if one else "-", *(with_error(name, e) for name, e in figures.items())]


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
        figures = [with_error(metric, one), with_error(metric, other)]
        table.add_row(metric, *figures, with_error(metric, estimate, sign=True))
    show(title, table, console)
    covered = next(iter(difference.metrics.values())).covers()
    console.print(f"paired by fold and seed, ± standard error of the difference: {covered}")
    if better := which_is_better(difference.metrics):
        console.print(better)
    text = with_error(first.sample_metric, difference.samples, sign=True)
    units = difference.samples.units
    console.print(f"{first.sample_metric} paired by sample: {text} over {units} samples")


def _print_classes(report: ClassReport, rule: str, runs: int, console: Console) -> None:
    pooled = f", {runs} runs pooled" if runs > 1 else ""
    table = plain_table(["class"], ["n", "recall", "precision", "f1"])
    for row in report.rows():
        figures = [f"{row[key]:.1f}" for key in ("recall", "precision", "f1")]
        table.add_row(row["class"], str(row["n"]), *figures)
    show(f"classes, {rule}{pooled}", table, console)
    if len(report.names) > 12:
        return  # too wide for any terminal; the files have it
    short = [_short(name) for name in report.names]
    table = plain_table(["true \\ predicted"], short)
    for name, counts in zip(report.names, report.confusion.tolist(), strict=True):
        table.add_row(name, *map(str, counts))
    show(f"confusion, {rule}{pooled}", table, console)


def _short(name: str) -> str:
    """Return four letters of a class: of one word, or of the first two, which tell more apart."""
    first, *others = name.split()
    return first[:2] + others[0][:2] if others else first[:4]


def _print_levels(evaluation: Evaluation, console: Console) -> None:
    runs = len(evaluation.runs)
    pooled = f", {runs} runs pooled" if runs > 1 else ""
    table = plain_table(["label"], ["n", "mean label", "mean prediction", "mae", "acc7"])
    for row in evaluation.levels.rows():
        figures = [f"{row[key]:.2f}" for key in ("mean_label", "mean_prediction")]
        figures += [number(key, row[key]) for key in ("mae", "acc7")]
        table.add_row(f"{row['label']:+d}" if row["label"] else "0", str(row["n"]), *figures)
    show(f"by rounded label, {evaluation.rule}{pooled}", table, console)


def evaluation_title(evaluation: Evaluation) -> str:
    """Return what an evaluation is of: task, fusion, folds, seeds, and whether data is sample."""
    places = listed_places(run.key for run in evaluation.runs)
    name = f"{evaluation.metrics['task']}, {run_name(evaluation.metrics)}, {places}"
    return name + sample_mark(evaluation.provenance)


def listed_places(keys: Iterable[RunKey]) -> str:
    """Return `folds 0, 1, seed 1`, or `folds 0 to 5, seed 1` for more than three in a row."""
    folds, seeds = zip(*keys, strict=True)
    return f"{_listed('fold', set(folds))}, {_listed('seed', set(seeds))}"


def footnote(folder: RunFolder, rules: Iterable[str]) -> str:
    """Say which figure is the headline, and which rules choose their epoch by a look at what."""
    return "; ".join(["* the headline", *how_rules_choose(folder.reporting(), rules)])


def how_rules_choose(known: Mapping[str, Any], rules: Iterable[str]) -> list[str]:
    """Say which rules choose their epoch by a look at what.

    Args:
        known: how each rule was configured.
        rules: those that are shown.
    """
    splits: dict[str, list[str]] = {}
    apart = []
    for rule in rules:
        split = known.get(rule, {}).get("split")
        if known.get(rule, {}).get("each"):
            apart.append(f"{SEPARATE} {rule}: {EACH.format(split)}")
        elif split:
            splits.setdefault(split, []).append(rule)
    told = [f"{' and '.join(names)}: epoch chosen on the {s} data" for s, names in splits.items()]
    return [*told, *apart]


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
    """Return the rules' names, the headline's with a star, one of several epochs with a dagger."""
    return [
        rule
        + "*" * (rule == run["headline"])
        + SEPARATE * isinstance(run["reported"][rule]["epoch"], dict)
        for rule in rules
    ]


def sample_mark(*provenances: str) -> str:
    """Return what stands behind everything that comes from sample data."""
    return " (sample data)" if "sample" in provenances else ""


def with_error(metric: str, estimate: Estimate, *, sign: bool = False) -> str:
    """Return `57.1 ± 0.4` in the digits of a metric, or the mean alone where there is no error."""
    mean = number(metric, estimate.mean, sign=sign)
    return mean if math.isnan(estimate.error) else f"{mean} ± {number(metric, estimate.error)}"


def run_name(run: dict[str, Any]) -> str:
    """Return a run's fusion and modalities; spaces, so that it can wrap in a narrow table."""
    converted = ", converted" if run.get("converted") else ""  # trained by others
    return f"{run['fusion']} ({' + '.join(run['modalities'])}{converted})"


def figure(run: dict[str, Any], rule: str) -> float:
    """Return a run's first metric on the test split under a reporting rule."""
    return run["reported"][rule]["test"][metric_name(run)]


def metric_name(run: dict[str, Any]) -> str:
    """Return the name of the metric that a task puts first."""
    return next(iter(run["reported"]["last_epoch"]["test"]))


def _listed(name: str, values: Iterable[Any]) -> str:
    found = sorted(values, key=lambda value: (isinstance(value, str), value))
    numbers = [value for value in found if isinstance(value, int)]
    if len(numbers) == len(found) > 3 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{name}s {numbers[0]} to {numbers[-1]}"
    return f"{name}{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def complexity_table(parameters: Mapping[str, int], flops: Mapping[str, int]) -> Table:
    """Return parameters and FLOPs by part, the total last."""
    table = plain_table(["at the paper's size"], ["parameters", "FLOPs a sample"])
    for part in [*(name for name in flops if name != "total"), "total"]:
        table.add_row(part, f"{parameters[part]:,}", f"{flops[part]:,}")
    if parameters["with_heads"] != parameters["total"]:
        table.add_row("with unused heads, as the paper", f"{parameters['with_heads']:,}", "")
    return table
