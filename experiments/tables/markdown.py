"""A filled table as markdown: its grid, what it stands on, and what a reader must know."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.evaluation.terminal import EACH, SEPARATE
from experiments.metric import which_is_better
from experiments.runs.rules import headline
from experiments.tables.cells import SIZES, cells, rule_name
from experiments.tables.fill import Filled
from experiments.tables.table import Table


def markdown(filled: Filled, level: int = 1) -> str:
    """Return a table and its notes, below a heading of a level."""
    passages = [
        f"{'#' * level} {filled.table.title}" + (" (sample data)" if filled.sample else ""),
        " ".join(filled.table.context.split()),
        *_grids(filled),
        origin(filled),
        how_to_read(filled),
        "\n".join(f"* {note}" for note in notes(filled)),
    ]
    return "\n\n".join(passage for passage in passages if passage) + "\n"


def _grids(filled: Filled) -> list[str]:
    """Return one grid; with several metrics one for each rule, the headline's first, with sizes."""
    head, body = cells(filled)
    if len(filled.table.metrics) == 1 or not filled.rules:
        return [_grid(head, body)]
    first = headline(filled.rules)
    ordered = [first, *(rule for rule in filled.rules if rule != first)]
    grids = []
    for rule in ordered:
        others = tuple(f"({rule_name(filled, other)})" for other in ordered if other != rule)
        left_out = others if rule == first else (*others, *SIZES)
        kept = [index for index, name in enumerate(head) if not name.endswith(left_out)]
        own = [head[index].removesuffix(f" ({rule_name(filled, rule)})") for index in kept]
        mark = " (the headline)" if rule == first else ""
        grids.append(f"`{rule}`{SEPARATE * (rule != rule_name(filled, rule))}{mark}:")
        grids.append(_grid(own, [[line[index] for index in kept] for line in body]))
    return grids


def _grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in rows)


def notes(filled: Filled) -> list[str]:
    """Return what a reader must know of single rows."""
    return [
        f"{line.row.name}: {' '.join(line.row.note.split())}"
        for line in filled.lines
        if line.row.note
    ]


def origin(filled: Filled) -> str:
    """Say what a table stands on: data, protocol, runs and sources."""
    table, stands = filled.table, filled.provenance
    manifests = ", ".join(f"{m[:12]}" for m in stands["manifests"])
    return (
        f"Data: **{', '.join(stands['data']) or 'no run yet'}**, manifest {manifests or '-'}; "
        f"protocol {', '.join(stands['protocols']) or '-'}; folds {_listed(table.folds)}; seeds "
        f"{_listed(table.seeds)}; overrides: "
        f"{' '.join([*table.overrides, *stands['overrides']])}; "
        f"run hashes {_listed(stands['hashes'])}; {_sources(stands['sources'])}"
        f"{_recorded(filled)}."
    )


def _sources(hashes: Sequence[str]) -> str:
    """Name the sources that made the runs, and say it if they are not the same for all."""
    short = [found[:8] for found in hashes]
    if len(short) > 1:
        return f"**runs of mixed sources**: {_listed(short)} (rerun=true makes them again)"
    return f"sources {_listed(short) or '-'}"


def _recorded(filled: Filled) -> str:
    """Say how many runs' figures were taken from other tables, and from which."""
    every = [one.recorded for line in filled.lines for one in line.measured]
    counts = Counter(mark for mark in every if mark)
    told = (f"{n} of {len(every)} runs as recorded in {mark}" for mark, n in counts.items())
    return "".join(f"; {text}" for text in told)


def how_to_read(filled: Filled) -> str:
    """Say what selects, what the errors cover, and how the differences are taken."""
    table = filled.table
    better = which_is_better(table.metrics)
    sentences = [selections(filled), errors(filled), f"{better.capitalize()}." * bool(better)]
    told = " ".join(sentence for sentence in sentences if sentence)
    return (
        f"{told} " * bool(told)
        + f"Differences to {references(table)} are "
        + f"of {table.metrics[0]}, " * (len(table.metrics) > 1)
        + "paired over the same folds and seeds."
        + CHOSEN_START * ("paper_rule" in filled.provenance["starts"])
        + ANOTHER_INPUT * filled.sample
    )


def selections(filled: Filled) -> str:
    """Say which epoch each rule takes."""
    rules = [selection(rule, filled.reporting[rule]) for rule in filled.rules
             if rule in filled.reporting]  # fmt: skip
    return f"{'; '.join(rules)}." if rules else ""


def errors(filled: Filled) -> str:
    """Say what the errors are taken over, and where there are none."""
    every = [e for line in filled.lines for f in line.figures.values() for e in f.values()]
    found = sorted({e.covers() for e in every if e.units > 1})
    told = f"Errors are standard errors of the mean over: {'; '.join(found)}." if found else ""
    if any(e.units < 2 for e in every):
        told += " " * bool(told) + "A single run has no error."
    return told


def references(table: Table) -> str:
    """Name the reference, or each one with the rows that are compared with it."""
    if len(table.references) == 1:
        return table.reference
    others = []
    for name in table.references[1:]:
        rows = [row.name for row in table.rows if row.reference == name != row.name]
        others.append(f"{name} for {', '.join(rows)}")
    return f"each row's reference ({'; '.join(others)}; {table.reference} for all others)"


def selection(name: str, rule: Mapping[str, Any]) -> str:
    """Say which epoch a reporting rule takes, from how it was configured."""
    split = rule.get("split")
    if rule.get("each"):
        return f"{SEPARATE} `{name}` takes {EACH.format(split)}"
    if split is None:
        return f"`{name}` selects nothing"
    if split == "test":
        return f"`{name}` takes the best epoch on the test data, as the paper does"
    return f"`{name}` takes the epoch with the best {rule['metric']} on the {split} data"


CHOSEN_START = (
    " Fusion runs start from unimodal weights that were chosen on the test data "
    "(protocol.init_from): no rule is free of selection here."
)


ANOTHER_INPUT = " The paper's figures are of other data and stand in no column here."


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))
