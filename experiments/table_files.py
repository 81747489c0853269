"""A filled table as text: in the terminal, and as md, csv, tex and json."""

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from experiments.files import write_json, write_text
from experiments.report import plain_table, show
from experiments.reporting import headline
from experiments.statistics import Estimate
from experiments.table import Table
from experiments.tabulate import Filled, Line

SIZES = ("paper #Params", "ours, paper's size", "ours, this run")
WIDEST = 1000  # no table's columns are wider than this together
KINDS = ("md", "csv", "tex", "json")


def write_table(filled: Filled, folder: Path) -> list[Path]:
    """Write `table<name>.{md,csv,tex,json}` and return the paths."""
    paths = {kind: folder / f"table{filled.table.name}.{kind}" for kind in KINDS}
    head, body = cells(filled)
    data = ", ".join(filled.provenance["data"])
    text = io.StringIO()
    csv.writer(text).writerows([[*head, "data"], *([*line, data] for line in body)])
    write_text(paths["md"], _markdown(filled, head, body))
    write_text(paths["csv"], text.getvalue())
    write_text(paths["tex"], _latex(filled, head, body))
    write_json(paths["json"], _plain(asdict(filled)))
    return list(paths.values())


def show_table(filled: Filled, console: Console) -> None:
    """Print what fits the terminal: differences under the headline rule alone, and no sizes.

    Where that is too wide, the other rules' figures go, and then all metrics but the first; the
    files have them.
    """
    unlimited = console.options.update(max_width=WIDEST)
    for shown in _choices(filled):
        grid = _grid(filled, shown)
        if console.measure(grid, options=unlimited).minimum <= console.width:
            break
    title = filled.table.title + (" (sample data)" if filled.sample else "")
    show(title, grid, console)


def _choices(filled: Filled) -> list[list[str]]:
    """Headings to show, from many to few."""
    head, rule = cells(filled)[0], f"({headline(filled.rules)})"
    every = [h for h in head if h not in SIZES and (h[:8] != "against " or h.endswith(rule))]
    one_rule = [h for h in every if h.endswith(rule) or not h.endswith(")")]
    others = {h for m in filled.table.metrics[1:] for h in (f"paper {m}", f"{m} {rule}")}
    return [every, one_rule, [h for h in one_rule if h not in others]]


def _grid(filled: Filled, shown: Sequence[str]) -> Grid:
    head, body = cells(filled)
    grid = plain_table(shown[:1], [_narrow(heading) for heading in shown[1:]])
    grid.collapse_padding = True
    words = [word for line in body for word in line[0].split()]
    grid.columns[0].min_width = max(map(len, words))
    for line in body:
        by_heading = dict(zip(head, line, strict=True))
        grid.add_row(*(by_heading[heading] for heading in shown))
    return grid


def _narrow(heading: str) -> str:
    """Break a heading into lines about as wide as the figures below it, the rule on the last."""
    name, _, rule = heading.partition(" (")
    return "\n".join([*textwrap.wrap(name, 12), *([f"({rule}"] if rule else [])])


def cells(filled: Filled) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of a table as text."""
    table, rules = filled.table, filled.rules
    head = ["row"]
    for metric in table.metrics:
        head += [f"paper {metric}", *(f"{metric} ({rule})" for rule in rules)]
    head += [f"against {table.reference} ({rule})" for rule in rules]
    head += [*SIZES, "runs"]
    return head, [_cells(line, table, rules) for line in filled.lines]


def _cells(line: Line, table: Table, rules: Sequence[str]) -> list[str]:
    row = line.row
    found = [row.name + (" (ours)" if row.ours else "")]
    for metric in table.metrics:
        found.append(_number(row.paper.get(metric), 2))
        found += [_estimate(line.figures.get(rule, {}).get(metric)) for rule in rules]
    found += [_estimate(line.differences.get(rule), sign=True) for rule in rules]
    paper = row.paper.get("parameters")
    found.append("" if paper is None else f"{paper:.2f}M")
    found += [_millions(line.paper_parameters), _millions(line.parameters)]
    return [*found, f"{line.runs} of {line.wanted}" if line.wanted else "quoted"]


def _markdown(filled: Filled, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    table, stands = filled.table, filled.provenance
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    grid = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    notes = [f"* {line.row.name}: {line.row.note}" for line in filled.lines if line.row.note]
    estimates = [e for line in filled.lines for f in line.figures.values() for e in f.values()]
    errors = "; ".join(sorted({e.covers() for e in estimates}))
    manifests = ", ".join(f"{m[:12]}" for m in stands["manifests"])
    data = ", ".join(stands["data"]) or "no run yet"
    words = [
        f"# {table.title}" + (" (sample data)" if filled.sample else ""),
        " ".join(table.context.split()),
        grid,
        f"Data: **{data}**, manifest {manifests or '-'}; protocol "
        f"{', '.join(stands['protocols']) or '-'}; folds {_listed(table.folds)}; seeds "
        f"{_listed(table.seeds)}; words: {' '.join([*table.words, *stands['words']])}; "
        f"run hashes {_listed(stands['hashes'])}.",
        "`paper_rule` takes the best epoch on the test data, as the paper does; `last_epoch` "
        f"selects nothing. Errors are standard errors of the mean over: {errors}. "
        f"Differences to {table.reference} are paired over the same folds and seeds."
        + CHOSEN_START
        * ("paper_rule" in stands["starts"]),
        "\n".join(" ".join(note.split()) for note in notes),
    ]
    return "\n\n".join(word for word in words if word) + "\n"


CHOSEN_START = (
    " Fusion runs start from unimodal weights that were chosen on the test data "
    "(protocol.init_from): no rule is free of selection here."
)


def _latex(filled: Filled, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    def escape(text: str) -> str:
        for sign in "\\&%$#_{}":
            text = text.replace(sign, "\\textbackslash " if sign == "\\" else f"\\{sign}")
        return text.replace("±", "$\\pm$")

    lines = [" & ".join(escape(cell) for cell in cells) + r" \\" for cells in (head, *body)]
    caption = filled.table.title + (" (sample data)" if filled.sample else "")
    caption = f"{caption}. {' '.join(filled.table.context.split())}".rstrip(". ") + "."
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\hline",
            lines[0],
            r"\hline",
            *lines[1:],
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it, which has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _estimate(value: Estimate | None, *, sign: bool = False) -> str:
    if value is None:
        return ""
    error = "" if math.isnan(value.error) else f" ± {value.error:.1f}"
    return f"{value.mean:{'+' if sign else ''}.1f}{error}"


def _millions(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.2f}M"
