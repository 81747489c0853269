r"""How a table is laid out on a page: which columns, side by side or below each other.

Each column's width is reckoned from its characters. Of the layouts from the one that shows most to
the one that shows least, the first that fits the page is taken: 345 pt, the `\textwidth` of LaTeX's
article class at 10 pt, which is narrower than that of any usual conference style.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import isnan

from experiments.evaluation.statistics import Estimate
from experiments.metric import LOWER_IS_BETTER, number, paper_number, short
from experiments.runs.rules import headline
from experiments.tables.cells import estimate_cell, rule_name
from experiments.tables.fill import Filled

TEXT_WIDTH = 345.0  # pt
CHARACTER = 4.5  # pt, a little more than a digit at \footnotesize, since bold ones are wider
GAP = 6.0  # pt between two columns: \tabcolsep is 3 pt
NAMES = (26, 14)  # characters of a row's name on one line, the second where room is short
PARAMETERS = "params"
MOST_LINES = 46  # of a page, with a long caption above


@dataclass(frozen=True)
class Column:
    """A column of figures, as plain text.

    Args:
        group: what stands above the headings of neighbors; nothing for a column by itself.
        heading: short.
        cells: one a row.
        best: the rows with the best of our own measured figures.
    """

    group: str
    heading: str
    cells: tuple[str, ...]
    best: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Panel:
    """All rows, below a title of their own; all panels of a layout have the same headings."""

    title: str
    columns: tuple[Column, ...]

    @property
    def labels(self) -> set[str]:
        """Return what names the reporting rules of this panel."""
        return {self.title, *(column.group for column in self.columns)}


@dataclass(frozen=True)
class Layout:
    """Panels below each other, beside the rows' names.

    Args:
        names: of the rows.
        longest: characters of a name on one line; a longer one takes several.
        panels: from top to bottom.
    """

    names: tuple[str, ...]
    longest: int
    panels: tuple[Panel, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns, whose headings all panels share."""
        return self.panels[0].columns

    @property
    def width(self) -> float:
        """Return the width in pt, reckoned from the characters."""
        total = CHARACTER * min(max(map(len, self.names)), self.longest)
        for group, members in groupby(enumerate(self.columns), lambda pair: pair[1].group):
            own = [self._characters(i) for i, _ in members]
            inside = CHARACTER * sum(own) + GAP * (len(own) - 1)
            total += GAP + max(inside, CHARACTER * len(group))
        return total

    @property
    def lines(self) -> int:
        """Return the lines of all panels, their titles included."""
        names = sum(len(textwrap.wrap(name, self.longest)) for name in self.names)
        return len(self.panels) * (names + bool(self.panels[0].title))

    @property
    def fits(self) -> bool:
        """Say whether this fits a page."""
        return self.width <= TEXT_WIDTH and self.lines <= MOST_LINES

    def _characters(self, i: int) -> int:
        columns = [panel.columns[i] for panel in self.panels]
        return max(len(text) for column in columns for text in (column.heading, *column.cells))


def lay_out(filled: Filled) -> Layout:
    """Return the first layout that fits a page; the one that shows least if none does."""
    names = tuple(line.row.name for line in filled.lines)
    for longest, panels in product(NAMES, _layouts(filled)):
        layout = Layout(names, longest, panels)
        if layout.fits:
            break
    return layout


def _layouts(filled: Filled) -> Iterator[tuple[Panel, ...]]:
    """Give the ways to lay a table out: rules side by side, then as panels; from much to little."""
    rules = sorted(filled.rules, key=lambda rule: rule != headline(filled.rules))
    for compared, sizes in product((rules, rules[:1], []), (2, 1, 0)):
        columns = _papers(filled)
        for rule in rules:
            columns += _rule(filled, rule, compare=rule in compared)
        yield (Panel("", (*columns, *_sizes(filled, sizes))),)
    for count in range(len(rules), 0, -1):
        for compare, sizes in product((True, False), (1, 0)):
            yield _panels(filled, rules[:count], compare=compare, sizes=sizes)


def _panels(
    filled: Filled, rules: Sequence[str], *, compare: bool, sizes: int
) -> tuple[Panel, ...]:
    """Return a panel for each rule, and a first one for the paper's figures where there are any."""
    panels = []
    for rule in rules:
        columns = [replace(c, group="") for c in _rule(filled, rule, compare=compare)]
        panels.append(Panel(label(filled, rule), (*columns, *_sizes(filled, sizes))))
    if filled.papers:
        quoted = {column.heading: column.cells for column in _papers(filled)}
        nothing = ("",) * len(filled.lines)
        columns = [
            replace(c, cells=quoted.get(c.heading, nothing), best=frozenset())
            for c in panels[0].columns
        ]
        panels.insert(0, Panel("the paper's figures", tuple(columns)))
    return tuple(panels)


def _papers(filled: Filled) -> list[Column]:
    """Return the paper's figures; none of them is ever the best of ours."""
    columns = []
    for metric in filled.papers:
        found = [line.row.paper.get(metric) for line in filled.lines]
        cells = ("" if value is None else paper_number(metric, value) for value in found)
        columns.append(Column("paper", short(metric), tuple(cells)))
    return columns


def _rule(filled: Filled, rule: str, *, compare: bool) -> list[Column]:
    """Return the figures under a rule, and if wanted the paired differences to the reference."""
    group = label(filled, rule)
    columns = []
    for metric in filled.table.metrics:
        found = [line.figures.get(rule, {}).get(metric) for line in filled.lines]
        cells = tuple(estimate_cell(metric, value) for value in found)
        columns.append(Column(group, short(metric), cells, best(metric, found)))
    if compare and filled.table.reference:
        first = filled.table.metrics[0]
        differences = [line.differences.get(rule) for line in filled.lines]
        cells = tuple(estimate_cell(first, value, sign=True) for value in differences)
        columns.append(Column(group, "Δ", cells))
    return columns


def _sizes(filled: Filled, count: int) -> list[Column]:
    """Return parameters in millions: ours at the paper's size, before it the paper's if `count` 2.

    A paper prints no size of the network that ran on a smaller input.
    """
    papers = [line.row.paper.get("parameters") for line in filled.lines]
    ours = [None if n is None else n / 1e6 for n in (x.paper_parameters for x in filled.lines)]
    wanted = [("paper", papers)] * (count > 1) + [("ours", ours)] * (count > 0)
    return [
        Column(PARAMETERS, name, tuple("" if s is None else f"{s:.2f}" for s in sizes))
        for name, sizes in wanted
        if any(size is not None for size in sizes)
    ]


def label(filled: Filled, rule: str) -> str:
    """Return a rule's name as a page has it."""
    return rule_name(filled, rule).replace("_", " ")


def best(metric: str, found: Sequence[Estimate | None]) -> frozenset[int]:
    """Return which of several measured figures is the best, and all that print the same mean.

    The figure of a network that diverged, NaN, is none.
    """
    measured = {i: e.mean for i, e in enumerate(found) if e is not None and not isnan(e.mean)}
    means = {i: float(number(metric, mean)) for i, mean in measured.items()}
    if len(means) < 2:
        return frozenset()
    first = (min if metric in LOWER_IS_BETTER else max)(means.values())
    return frozenset(i for i, mean in means.items() if mean == first)
