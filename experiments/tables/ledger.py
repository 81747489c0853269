"""The ledger: each cell of the paper's tables and figures, and how far it is reproduced."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments.metric import paper_number
from experiments.runs.folder import RunError
from experiments.tables.beyond import beyond
from experiments.tables.cells import estimate_cell
from experiments.tables.committed import Committed, CommittedLine, read_committed
from experiments.tables.table import Row, Table, load_table

RUN, OTHER, SAMPLE = "run", "other input", "sample"
NOT_COMPARABLE = ", not comparable"
QUOTED, NOT_RUN = "quoted", "not run"
HEAD = """\
# The ledger: what of the paper has been reproduced

    python scripts/ledger.py

The command writes this page from `configs/table/*.yaml` (the paper's figures),
`configs/ledger.yaml` (what a table needs) and `docs/results` (our figures). A test checks that the
page is up to date.

Each line is a row of the paper's table, with all its metrics. Its state is the best that there is:

* **run**: on the paper's own input, with its recipe.
* **other input**: real data, but another input or recipe than the paper's. The notes below the
  table name it. **Not comparable**: the paper's figure only says which cell is meant.
* **sample**: rendered data, which shows that the command works. **Not comparable** either.
* **quoted**: the paper quotes it too, and it cannot be run from what is published.
* **not run**: the command exists, but nobody has run it.

How to read our figures:

* They are means with standard errors under two rules. The headline comes first: `last_epoch`, or
  `val_selected` where there is a validation split. Neither looks at the test data. `paper_rule`
  chooses as the paper did; with † it takes each metric from an epoch of its own.
* #Params are those of the network at the paper's size, whatever the data.
* GB and GPU-hours are estimates (`configs/ledger.yaml` says how they were made).

To run one row alone, add its overrides, from the table's yaml, to
`python train.py -m data=full data.root=<packed folder>`.
"""


def ledger(configs: Path, results: Path) -> str:
    """Return the page.

    Args:
        configs: the folder of the configuration groups.
        results: the folder of filled tables; links are relative to its parent.

    Raises:
        RunError: if a configuration or a filled table cannot be read.
    """
    wanted: Any = OmegaConf.to_container(OmegaConf.load(configs / "ledger.yaml"))
    files = sorted(results.rglob("table*.json"))
    committed = [part for file in files for part in read_committed(file)]
    tables = [_table(configs, entry, committed, results) for entry in wanted["tables"]]
    more = beyond(configs, wanted["beyond"], committed, results)
    return "\n".join([HEAD, *tables, _figures(wanted["figures"], results), more])


def _table(
    configs: Path, entry: Mapping[str, Any], committed: Sequence[Committed], results: Path
) -> str:
    table = load_table(configs, entry["table"])
    order = [table.name, *entry.get("also", ())]
    found = sorted(
        (one for one in committed if one.name in order),
        key=lambda one: (one.sample, order.index(one.name)),
    )
    sized = any("parameters" in row.paper for row in table.rows)
    head = ["row", "paper", "state", "ours", *["#Params: paper, ours"] * sized]
    lines = [
        [*_cells(table, row, found), *[_sizes(table, row, found)] * sized]
        for row in table.rows
        if not row.ours
    ]
    command = (
        f"    python scripts/reproduce.py table={table.name} data=full data.root=<packed folder>"
    )
    needs = f"Needs: {entry['data']}; about {entry['gpu_hours']:,} GPU-hours (estimated)."
    passages = [f"## {table.title}", command, needs, _grid(head, lines)]
    return "\n\n".join([*passages, "\n".join(_sources(found, results))]) + "\n"


def _grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def _cells(table: Table, row: Row, found: Sequence[Committed]) -> list[str]:
    """Return a row's name, what the paper has, its state, and ours."""
    ours = [(state(table, row, one), one) for one in found if row.name in one.lines]
    ours.sort(key=lambda pair: (RUN, OTHER, SAMPLE).index(pair[0]))
    best = ours[0][0] if ours else NOT_RUN if row.overrides else QUOTED
    told = [
        f"`{one.name}` ({how}{NOT_COMPARABLE * (how != RUN)}): "
        + _figures_of(table, one, one.lines[row.name])
        for how, one in ours
    ]
    return [row.name, _paper(table, row), f"**{best}**", "<br>".join(told)]


def state(table: Table, row: Row, one: Committed) -> str:
    """Say what a filled table's row of this name is to the paper's.

    It is the paper's cell if it has the very overrides of the paper's row, on real data.
    """
    if one.sample:
        return SAMPLE
    same = one.lines[row.name].overrides == frozenset([*table.overrides, *row.overrides])
    return RUN if same else OTHER


def _paper(table: Table, row: Row) -> str:
    known = [metric for metric in table.metrics if metric in row.paper]
    return ", ".join(f"{metric} {paper_number(metric, row.paper[metric])}" for metric in known)


def _figures_of(table: Table, one: Committed, line: CommittedLine) -> str:
    rules = []
    for rule in one.rules:
        known = [metric for metric in table.metrics if metric in line.figures[rule]]
        named = len(known) > 1
        figures = [
            f"{metric} " * named + estimate_cell(metric, line.figures[rule][metric])
            for metric in known
        ]
        rules.append(f"`{one.marked(rule)}` {', '.join(figures)}")
    lacking = f" ({line.runs} of {line.wanted} runs)" if line.runs < line.wanted else ""
    return "; ".join(rules) + lacking


def _sizes(table: Table, row: Row, found: Sequence[Committed]) -> str:
    """Return the paper's number of parameters, and that of the very same row of ours."""
    paper = row.paper.get("parameters")
    if paper is None:
        return ""
    wanted = frozenset([*table.overrides, *row.overrides])
    lines = [one.lines[row.name] for one in found if row.name in one.lines]
    ours = [line.paper_parameters for line in lines if line.overrides == wanted]
    counted = f"{ours[0] / 1e6:.2f}M" if ours and ours[0] is not None else "-"
    return f"{paper:.2f}M, {counted}"


def _sources(found: Sequence[Committed], results: Path) -> Iterator[str]:
    """Give each table that figures were taken from, what it is of, and what made it."""
    for one in found:
        link = one.file.with_suffix(".md").relative_to(results.parent).as_posix()
        made = f", made by commit {', '.join(one.commits)}" if one.commits else ""
        kind = "sample data" if one.sample else "real data"
        context = f". {one.context}" if one.context and not one.sample else ""
        yield f"* `{one.name}`, {kind}: [{link}]({link}){made}{context}"


def _figures(entries: Sequence[Mapping[str, Any]], results: Path) -> str:
    lines = []
    for entry in entries:
        told = entry.get("state") or _drawn(entry, results)
        lines.append([entry["name"], entry["shows"], told, f"`{entry['command']}`", entry["needs"]])
    head = ["figure", "shows", "state", "command", "needs"]
    return f"## Figures 5, 6 and 7\n\n{_grid(head, lines)}\n"


def _drawn(entry: Mapping[str, Any], results: Path) -> str:
    """Say from which data a figure has been drawn, as its numbers say of themselves."""
    told = []
    for file in sorted((results / "figures").rglob(f"figure{entry['name']}*.csv")):
        link = file.relative_to(results.parent).as_posix()
        with file.open(newline="") as lines:
            how = _input(entry["input"], list(csv.DictReader(lines)), file)
        told.append(f"**{how}**{NOT_COMPARABLE * (how != RUN)}: [{link}]({link})")
    return "; ".join(told) if told else f"**{NOT_RUN}**"


def _input(wanted: Mapping[str, Any], rows: Sequence[Mapping[str, str]], file: Path) -> str:
    """Say whether numbers are of the paper's input, of another, or of the sample."""
    keys = ("provenance", "task", "modality")
    if not rows or not rows[0].keys() >= set(keys):
        raise RunError(
            f"{file}: expected the numbers of a figure, with {', '.join(keys)}: draw it again with "
            "scripts/figures.py, or move the file away"
        )
    provenance, task, modalities = ({row[key] for row in rows} for key in keys)
    if provenance != {"real"}:
        return SAMPLE
    same = task == {wanted["task"]} and modalities == set(wanted["modalities"])
    return RUN if same else OTHER
