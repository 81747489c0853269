"""A filled table as text: in the terminal, and as md, csv, tex and json."""

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from experiments.evaluation.terminal import plain_table, show
from experiments.files import write_json, write_text
from experiments.runs.rules import headline
from experiments.tables.cells import SIZES, cells, rule_name
from experiments.tables.fill import Filled
from experiments.tables.latex import latex
from experiments.tables.markdown import markdown
from experiments.tables.table import Tables

WIDEST = 1000  # no table's columns are wider than this together
KINDS = ("md", "csv", "tex", "json")


def write_tables(tables: Tables, filled: Sequence[Filled], folder: Path) -> list[Path]:
    """Write `table<name>.{md,csv,tex,json}` of a table, or of all its parts, and return the paths.

    Args:
        tables: what was to be filled.
        filled: its parts, in their order.
        folder: where the files go.
    """
    paths = {kind: folder / f"table{tables.name}.{kind}" for kind in KINDS}
    if len(filled) == 1:
        text = markdown(filled[0])
        content = asdict(filled[0])
    else:
        text = "\n".join([f"# {tables.title}\n", *(markdown(part, level=2) for part in filled)])
        content = {"title": tables.title, "parts": [asdict(part) for part in filled]}
    write_text(paths["md"], text)
    write_text(paths["csv"], _csv(filled))
    write_text(paths["tex"], "\n".join(latex(part) for part in filled))
    write_json(paths["json"], _plain(content))
    return list(paths.values())


def _csv(filled: Sequence[Filled]) -> str:
    """Return all parts below each other; a column that a part does not have is empty there."""
    rows: list[dict[str, str]] = []
    for part in filled:
        head, body = cells(part)
        data = ", ".join(part.provenance["data"])
        title = {"table": part.table.title} if len(filled) > 1 else {}
        rows += [title | dict(zip(head, line, strict=True)) | {"data": data} for line in body]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def show_rules(filled: Filled, console: Console) -> None:
    """Print all rules side by side if that fits the terminal, else one below the other."""
    every, _ = _choices(filled)[0]
    if _least_width(_grid(filled, every, ""), console) <= console.width:
        show_table(filled, console)
        return
    for rule in sorted(filled.rules, key=lambda rule: rule != headline(filled.rules)):
        show_table(replace(filled, rules=(rule,)), console)


def show_table(filled: Filled, console: Console) -> None:
    """Print what fits the terminal: differences under the headline rule alone, and no sizes.

    Where that is too wide, the other rules' figures go, and then the last metrics; the files have
    them.
    """
    title = filled.table.title + (" (sample data)" if filled.sample else "")
    for shown, rule in _choices(filled):
        grid = _grid(filled, shown, rule)
        if _least_width(grid, console) <= console.width:
            break
    show(f"{title}, {rule}" if rule else title, grid, console)


def _choices(filled: Filled) -> list[tuple[list[str], str]]:
    """Headings to show, from many to few, and the rule of all of them if there is but one."""
    first = filled.rules[0] if len(filled.rules) == 1 else headline(filled.rules)
    head, name = cells(filled)[0], rule_name(filled, first)
    rule, metrics = f"({name})", filled.table.metrics
    every = [h for h in head if h not in SIZES and (h[:8] != "against " or h.endswith(rule))]
    one_rule = [h for h in every if h.endswith(rule) or not h.endswith(")")]
    choices = [(one_rule, name)] if len(filled.rules) == 1 else [(every, ""), (one_rule, name)]
    for count in range(len(metrics) - 1, 0, -1):
        others = {h for m in metrics[count:] for h in (f"paper {m}", f"{m} {rule}")}
        choices.append(([h for h in one_rule if h not in others], name))
    return choices


def _grid(filled: Filled, shown: Sequence[str], rule: str) -> Grid:
    head, body = cells(filled)
    labels = [_narrow(heading.removesuffix(f" ({rule})")) for heading in shown[1:]]
    grid = plain_table(shown[:1], labels)
    grid.collapse_padding = True
    grid.columns[0].min_width = max(len(word) for line in body for word in line[0].split())
    for line in body:
        by_heading = dict(zip(head, line, strict=True))
        grid.add_row(*(by_heading[heading] for heading in shown))
    return grid


def _least_width(grid: Grid, console: Console) -> int:
    """Return the width at which the names wrap between words and no figure is cut off."""
    unlimited = console.options.update(max_width=WIDEST)
    names = [str(cell) for cell in grid.columns[0].cells]
    spare = max(map(len, names)) - (grid.columns[0].min_width or 0)
    return console.measure(grid, options=unlimited).maximum - spare


def _narrow(heading: str) -> str:
    """Break a heading into lines about as wide as the figures below it, the rule on the last."""
    name, _, rule = heading.partition(" (")
    width = 12 if rule else 8
    return "\n".join([*textwrap.wrap(name, width), *([f"({rule}"] if rule else [])])


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it, which has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
