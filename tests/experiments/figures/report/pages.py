"""A page read back: its tables, links and loads, by the standard library's parser alone."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra

from experiments.figures.report.page import write_report
from tests.experiments.conftest import CONFIGS


@dataclass
class Read:
    """What stands in a page.

    Args:
        tables: by section or article id and caption, the rows, the head first.
        tags: every tag with its attributes.
        text: all of it but style sheets.
        source: the page as it is.
    """

    tables: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    source: str = ""

    def table(self, id: str, caption: str) -> list[list[str]]:
        """Return the one table of a place whose caption begins so."""
        (found,) = [t for (i, c), t in self.tables.items() if i == id and c.startswith(caption)]
        return found


class _Reader(HTMLParser):
    VOID = ("meta", "img", "br", "link", "hr", "input")

    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[tuple[str, str]] = []
        self.kept: list[str] | None = None
        self.rows: list[list[str]] = []
        self.caption = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.read.tags.append((tag, found))
        if tag in self.VOID:
            return
        self.open.append((tag, found.get("id", "")))
        if tag == "table":
            self.rows = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td", "caption"):
            self.kept = []

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        text = " ".join("".join(self.kept or ()).split())
        if tag in ("th", "td"):
            self.rows[-1].append(text)
        if tag == "caption":
            self.caption = text
        if tag == "table":
            place = next((id for _, id in reversed(self.open) if id), "")
            assert (place, self.caption) not in self.read.tables
            assert len({len(row) for row in self.rows}) == 1, "rows of different length"
            self.read.tables[place, self.caption] = self.rows
        if tag in ("th", "td", "caption"):
            self.kept = None

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "style":
            return
        self.read.text += data
        if self.kept is not None:
            self.kept.append(data)


def read(page: Path) -> Read:
    reader = _Reader()
    reader.read.source = page.read_text()
    reader.feed(reader.read.source)
    reader.close()
    assert not reader.open
    return reader.read


def written(folder: Path) -> Read:
    """Write the report of a folder, as the command does, and read it."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        return read(write_report([f"in='{folder}'"]).page)
