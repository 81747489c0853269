"""Tables that were filled before, read back from their JSON."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.evaluation.statistics import Estimate
from experiments.evaluation.terminal import SEPARATE
from experiments.runs.errors import reading
from experiments.runs.overrides import Overrides
from experiments.runs.rules import headline

Figures = Mapping[str, Mapping[str, Estimate]]
"""By reporting rule and metric."""


@dataclass(frozen=True)
class CommittedLine:
    """A row with runs.

    Args:
        overrides: that ran it, less those that say where the data are.
        figures: means and errors.
        runs: complete ones.
        wanted: runs that the row should have.
        paper_parameters: of its network at the paper's size.
    """

    overrides: frozenset[str]
    figures: Figures
    runs: int
    wanted: int
    paper_parameters: int | None


@dataclass(frozen=True)
class Committed:
    """A filled table, or a part of one.

    Args:
        file: the JSON.
        name: of its yaml.
        context: what its yaml says of its input.
        sample: whether its data are rendered.
        rules: the headline first, then the paper's.
        separate: rules that take each metric from an epoch of its own.
        lines: the rows with runs, by name.
        commits: that made the runs.
    """

    file: Path
    name: str
    context: str
    sample: bool
    rules: tuple[str, ...]
    separate: frozenset[str]
    lines: Mapping[str, CommittedLine]
    commits: tuple[str, ...]

    def marked(self, rule: str) -> str:
        """Return a rule's name, with a mark if its figures are of no single epoch."""
        return rule + SEPARATE * (rule in self.separate)


def read_committed(file: Path) -> list[Committed]:
    """Read a table's JSON, or each part of it.

    Tables of before the hashes lasted call overrides `words`, and name their commit in the `.md`.

    Raises:
        RunError: if the file is no filled table.
    """
    advice = "reproduce the table again, or move the file away"
    with reading(file, "a table as scripts/reproduce.py writes it", advice):
        content = json.loads(file.read_text())
        return [_table(file, part) for part in content.get("parts", [content])]


def _table(file: Path, part: Mapping[str, Any]) -> Committed:
    table, stands = part["table"], part["provenance"]
    common = [*_overrides(table), *Overrides(_overrides(stands)).without("data")]
    lines = {
        line["row"]["name"]: CommittedLine(
            overrides=frozenset([*common, *_overrides(line["row"])]),
            figures={
                rule: {metric: _estimate(found) for metric, found in metrics.items()}
                for rule, metrics in line["figures"].items()
            },
            runs=line["runs"],
            wanted=line["wanted"],
            paper_parameters=line["paper_parameters"],
        )
        for line in part["lines"]
        if line["runs"]
    }
    rules = [rule for rule in (headline(part["rules"]), "paper_rule") if rule in part["rules"]]
    reporting = part.get("reporting") or {}
    return Committed(
        file=file,
        name=table["name"],
        context=" ".join(table["context"].split()),
        sample="sample" in stands["data"],
        rules=tuple(rules),
        separate=frozenset(name for name, rule in reporting.items() if rule.get("each")),
        lines=lines,
        commits=_commits(file, stands),
    )


def _overrides(node: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = node["words"] if "words" in node else node["overrides"]
    return found


def _estimate(found: Mapping[str, Any]) -> Estimate:
    numbers = {key: math.nan if found[key] is None else found[key] for key in ("mean", "error")}
    return Estimate(**{**found, **numbers})


def _commits(file: Path, stands: Mapping[str, Any]) -> tuple[str, ...]:
    if "commits" in stands:
        return tuple(commit[:7] for commit in stands["commits"])
    page = file.with_suffix(".md")
    return tuple(re.findall(r"Committed with (\w+)", page.read_text() if page.is_file() else ""))
