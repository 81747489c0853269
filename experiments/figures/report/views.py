"""What the page's template shows: plain values, already in words."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from experiments.figures.report.commands import commands, shell
from experiments.figures.report.pictures import embedded
from experiments.runs.overrides import Overrides
from experiments.tables.cells import cells
from experiments.tables.fill import Filled
from experiments.tables.markdown import how_to_read, notes, origin

SHOWN_ROWS = 200  # of a picture's numbers


@dataclass(frozen=True)
class Grid:
    """A table; all its rows are as long as its head.

    Args:
        caption: said above it.
        head: of the columns.
        rows: as text, the first cell their name.
        sample: some of it comes from sample data.
        links: ids on the page that the rows lead to.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    sample: bool = False
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """An embedded picture, what it shows in words, and its numbers where there are any."""

    caption: str
    alt: str
    source: str
    sample: bool = False
    numbers: Grid | None = None


@dataclass(frozen=True)
class Article:
    """One thing in detail: an experiment, or a table.

    Args:
        id: on the page.
        title: printed above.
        sample: some of it comes from sample data.
        grids: its tables.
        pictures: below these.
        details: tables that open on demand.
        facts: what it stands on, by name.
        notes: what a reader must know.
        commands: that make it again, by what each makes.
    """

    id: str
    title: str
    sample: bool
    grids: Sequence[Grid] = ()
    pictures: Sequence[Picture] = ()
    details: Sequence[Grid] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    commands: Sequence[tuple[str, str]] = ()


def table_article(filled: Filled, *, id: str, file: str) -> Article:
    """Show a filled table of the paper, or a part of one.

    Args:
        filled: the table.
        id: on the page.
        file: where it lies.
    """
    head, rows = cells(filled)
    table = filled.table
    return Article(
        id=id,
        title=table.title,
        sample=filled.sample,
        grids=[Grid(f"{table.title} ({file})", head, rows, filled.sample)],
        notes=[table.context, origin(filled), how_to_read(filled), *notes(filled)],
        commands=_table_commands(filled),
    )


def picture_found(file: Path, *, caption: str) -> Picture:
    """Show a picture that lies in a file, and the CSV file beside it.

    Args:
        file: an SVG file.
        caption: how it is called on the page.
    """
    numbers = _numbers(file.with_suffix(".csv"))
    sample = numbers is not None and numbers.sample
    alt = f"{file.stem}, drawn in {caption}" + ("; its numbers follow as a table" * bool(numbers))
    return Picture(caption, alt, embedded(file.read_bytes()), sample, numbers)


def _numbers(file: Path) -> Grid | None:
    """Read a CSV file; nothing if there is none that can be read."""
    try:
        with file.open(newline="") as lines:
            head, *rows = list(csv.reader(lines)) or [[]]
    except (OSError, ValueError, csv.Error):
        return None
    rows = [row for row in rows if len(row) == len(head)]
    sample = any("sample" in row for row in rows)
    more = f", the first {SHOWN_ROWS} of {len(rows)} rows" if len(rows) > SHOWN_ROWS else ""
    return Grid(f"{file.name}{more}", head, rows[:SHOWN_ROWS], sample)


def _table_commands(filled: Filled) -> list[tuple[str, str]]:
    """Return the command that fills the table, and the one that runs each of its rows."""
    table, own = filled.table, filled.provenance["overrides"]
    root = ["data.root=PACKED_FOLDER"] if "data=full" in own else []  # which is not recorded
    seeds = f"seeds=[{','.join(map(str, table.seeds))}]"
    found = [("table", shell("scripts/reproduce.py", f"table={table.name}", *own, *root, seeds))]
    for line in filled.lines:
        if line.row.overrides:
            every = Overrides([*table.overrides, *line.row.overrides, *own, *root])
            places = product(table.folds, table.seeds)
            found += [(line.row.name, command) for command in commands(every, places)]
    return found
