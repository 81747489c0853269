"""A filled table as TeX, ready to paste: booktabs, no wider than a page."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from experiments.evaluation.terminal import SEPARATE
from experiments.metric import LOWER_IS_BETTER, short
from experiments.tables.fill import Filled, Line
from experiments.tables.layout import (
    CHARACTER,
    GAP,
    PARAMETERS,
    Column,
    Layout,
    Panel,
    label,
    lay_out,
)
from experiments.tables.markdown import errors, how_to_read, notes, origin, references

SIGNS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{sign: f"${sign}$" for sign in "<>|"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"±": r"$\pm$", "†": r"$\dagger$", "Δ": r"$\Delta$", "λ": r"$\lambda$", "β": r"$\beta$"},
}
ESCAPED = str.maketrans(SIGNS)


def escape(text: str) -> str:
    """Return text in which no sign means anything to TeX."""
    return text.translate(ESCAPED)


def latex(filled: Filled) -> str:
    """Return a table as a `table*` environment; what it stands on is a comment above."""
    layout = lay_out(filled)
    columns = layout.columns
    body = [
        *_comments(filled, layout),
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escape(_caption(filled, layout))}}}",
        rf"\label{{tab:{filled.table.name.replace('_', '-')}}}",
        rf"\footnotesize\setlength{{\tabcolsep}}{{{GAP / 2:g}pt}}",
        rf"\begin{{tabular}}{{@{{}}l{'r' * len(columns)}@{{}}}}",
        r"\toprule",
        *_heading(columns),
    ]
    for panel in layout.panels:
        body.append(r"\midrule")
        if panel.title:
            wide = rf"\multicolumn{{{len(columns) + 1}}}{{@{{}}l@{{}}}}"
            body.append(rf"{wide}{{\emph{{{escape(panel.title)}}}}} \\")
        body += _rows(filled, panel, layout.longest)
    return "\n".join([*body, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def _heading(columns: Sequence[Column]) -> Iterator[str]:
    r"""Give the groups of columns with a \cmidrule below each, and the headings."""
    above, rules, start = [""], [], 2
    for group, members in groupby(columns, lambda column: column.group):
        size = len(list(members))
        above.append(rf"\multicolumn{{{size}}}{{c}}{{{escape(group)}}}")
        rules += [rf"\cmidrule(lr){{{start}-{start + size - 1}}}"] * bool(group)
        start += size
    if rules:
        yield rf"{' & '.join(above)} \\"
        yield "".join(rules)
    yield rf"{' & '.join(['Model', *(escape(column.heading) for column in columns)])} \\"


def _rows(filled: Filled, panel: Panel, longest: int) -> Iterator[str]:
    """Give the rows that have something to show, those that are not the paper's below a rule."""
    before: bool | None = None
    for i, line in enumerate(filled.lines):
        cells = [_figure(column.cells[i], best=i in column.best) for column in panel.columns]
        if any(cells):
            if before is not None and line.row.ours != before:
                yield r"\midrule"
            before = line.row.ours
            yield rf"{' & '.join([_name(line, longest), *cells])} \\"


def _name(line: Line, longest: int) -> str:
    name = escape(line.row.name)
    if len(line.row.name) <= longest:
        return name
    return rf"\parbox[t]{{{longest * CHARACTER:g}pt}}{{\raggedright {name}}}"


def _figure(text: str, *, best: bool) -> str:
    mean, sign, error = escape(text).replace("-", "$-$").partition(r" $\pm$ ")
    return (rf"\textbf{{{mean}}}" if best else mean) + sign + error


def _caption(filled: Filled, layout: Layout) -> str:
    table = filled.table
    shown = [column for panel in layout.panels for column in panel.columns]
    lower = [short(metric) for metric in table.metrics if metric in LOWER_IS_BETTER]
    marked = any(SEPARATE in text for panel in layout.panels for text in panel.labels)
    sentences = [
        table.title + (" (sample data)" if filled.sample else ""),
        " ".join(table.context.split()),
        errors(filled).replace("Errors are", "±:"),
        "Bold: the best of our own figures in a column" * any(column.best for column in shown),
        f"Lower is better: {', '.join(lower)}" * bool(lower),
        f"Δ: difference to {references(table)}, paired over folds and seeds"
        * any(column.heading == "Δ" for column in shown),
        f"{SEPARATE}: each metric from an epoch of its own" * marked,
        "Params in millions" * any(column.group == PARAMETERS for column in shown),
        _left_out(filled),
    ]
    return " ".join(f"{sentence.rstrip('. ')}." for sentence in sentences if sentence)


def _left_out(filled: Filled) -> str:
    """Name the rows that lack runs."""
    lacking = [
        f"{line.row.name} ({line.runs} of {line.wanted})"
        for line in filled.lines
        if line.runs < line.wanted
    ]
    return f"Runs so far: {', '.join(lacking)}" if lacking else ""


def _comments(filled: Filled, layout: Layout) -> Iterator[str]:
    """Give what the table stands on, how rules select, and what a reader must know of its rows."""
    shown = {text for panel in layout.panels for text in panel.labels}
    missing = [rule for rule in filled.rules if label(filled, rule) not in shown]
    no_room = f"No room on a page for {', '.join(missing)}; the other files have it."
    for text in (origin(filled), how_to_read(filled), no_room * bool(missing), *notes(filled)):
        yield from (f"% {line}" for line in textwrap.wrap(text, 98))
