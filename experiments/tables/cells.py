"""The heading and the cells of a filled table, as text."""

import math

from experiments.evaluation.statistics import Estimate
from experiments.evaluation.terminal import SEPARATE
from experiments.metric import number, paper_number
from experiments.tables.fill import Filled, Line

SIZES = ("paper #Params", "ours, paper's size", "ours, this run")


def cells(filled: Filled) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of a table as text."""
    table, rules = filled.table, filled.rules
    names = [rule_name(filled, rule) for rule in rules]
    head = ["row"]
    for metric in table.metrics:
        head += [f"paper {metric}"] if metric in filled.papers else []
        head += [f"{metric} ({name})" for name in names]
    reference = table.reference if len(table.references) == 1 else "its reference"
    head += [f"against {reference} ({name})" for name in names if table.reference]
    head += [*SIZES, "runs"]
    return head, [_cells(line, filled) for line in filled.lines]


def rule_name(filled: Filled, rule: str) -> str:
    """Return a rule's name, with a mark if it takes each metric from an epoch of its own."""
    return rule + SEPARATE * bool(filled.reporting.get(rule, {}).get("each"))


def _cells(line: Line, filled: Filled) -> list[str]:
    row, table, rules = line.row, filled.table, filled.rules
    found = [row.name + (" (ours)" if row.ours else "")]
    for metric in table.metrics:
        if metric in filled.papers:
            found.append(paper_number(metric, row.paper[metric]) if metric in row.paper else "")
        found += [estimate_cell(metric, line.figures.get(rule, {}).get(metric)) for rule in rules]
    first = table.metrics[0]
    if table.reference:
        found += [estimate_cell(first, line.differences.get(rule), sign=True) for rule in rules]
    paper = row.paper.get("parameters")
    found.append("" if paper is None else f"{paper:.2f}M")
    found += [_millions(line.paper_parameters), _millions(line.parameters)]
    return [*found, f"{line.runs} of {line.wanted}" if line.wanted else "quoted"]


def estimate_cell(metric: str, value: Estimate | None, *, sign: bool = False) -> str:
    """Return a mean with its standard error; nothing where there is no figure."""
    if value is None:
        return ""
    error = "" if math.isnan(value.error) else f" ± {number(metric, value.error)}"
    return number(metric, value.mean, sign=sign) + error


def _millions(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.2f}M"
