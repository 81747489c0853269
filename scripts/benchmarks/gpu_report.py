"""What `benchmark.py gpu` has measured so far, as JSON and Markdown, written after each figure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.files import write_text

Row = dict[str, str | int | float]
SUFFIXES = (".md", ".json")
TITLES = {
    "steps": "Training steps: forward, loss, backward, optimizer",
    "shares": "Where a step's time goes, in percent",
    "augmentation": "Crop and flip of a batch: clip by clip, and as one batch",
    "module": "The MSAF module beside plain formulations and the memory's speed",
    "text": "Text encoding",
    "loader": "What the loader supplies",
}
"""The sections, in the order in which they are shown, and what each is called."""


@dataclass
class Report:
    """Rows of each section, and what was left out and why.

    Args:
        out: of the two files, without their suffix; one of the suffixes may stand there.
        about: the device, the versions, the commit and the command.

    Attributes:
        sections: section -> rows, each with its names first and then its figures.
        skipped: what was not measured: its section, its name and the reason.
        failed: what raised an error, in the same form.
        seconds: that the run has taken so far.
        complete: whether the run has come to its end.
    """

    out: str
    about: Mapping[str, Any]
    sections: dict[str, list[Row]] = field(default_factory=dict)
    skipped: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = False

    @property
    def paths(self) -> tuple[Path, Path]:
        """The Markdown and the JSON file."""
        path = Path(self.out)
        stem = path.with_suffix("") if path.suffix in SUFFIXES else path
        markdown, data = (stem.with_name(stem.name + suffix) for suffix in SUFFIXES)
        return markdown, data

    def rows(self, section: str) -> list[Row]:
        """The rows of a section so far."""
        return self.sections.get(section, [])

    def write(self) -> None:
        """Write both files, each whole or not at all.

        Raises:
            OSError: the place cannot be written to.
        """
        markdown, data = self.paths
        content = {
            **self.about,
            "seconds": round(self.seconds, 1),
            "complete": self.complete,
            "sections": self.sections,
            "skipped": self.skipped,
            "failed": self.failed,
        }
        write_text(data, json.dumps(content, indent=2, allow_nan=False) + "\n")
        write_text(markdown, self.markdown())

    def markdown(self) -> str:
        """The whole report."""
        versions = ", ".join(f"{name} {number}" for name, number in self.about["versions"].items())
        parts = [
            f"# Benchmark: {self.about['device']}",
            f"    {self.about['command']}",
            f"{self.about['started']}, commit {self.about['commit'] or 'unknown'}; {versions}; "
            f"{self.about['cores']} cores. The run took {self.seconds:.0f} seconds"
            + ("." if self.complete else " so far. **It has not come to its end.**"),
        ]
        for section, title in TITLES.items():
            if rows := self.rows(section):
                parts += [f"## {title}", table(rows)]
        for title, left_out in (("Skipped", self.skipped), ("Failed", self.failed)):
            if left_out:
                lines = [f"* {x['section']}, {x['name']}: {x['reason']}" for x in left_out]
                parts += [f"## {title}", "\n".join(lines)]
        return "\n\n".join(parts) + "\n"


def table(rows: list[Row]) -> str:
    """Rows as a Markdown table; a figure that a row does not have is a dash."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    words = [column.replace("_", " ") for column in columns]
    numbers = [all(not isinstance(row.get(c, 0.0), str) for row in rows) for c in columns]
    rules = ["---:" if number else "---" for number in numbers]
    cells = [[shown(row.get(column)) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [words, rules, *cells])


def shown(value: str | int | float | None) -> str:
    """A name or a count as it is, another number with three digits, a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value.replace("|", "/").replace("\n", " ")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")
