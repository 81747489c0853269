"""The ledger's last section: tables of what the paper does not have."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.tables.committed import Committed
from experiments.tables.table import load_table


def beyond(
    configs: Path, entries: Sequence[Mapping[str, Any]], found: Sequence[Committed], results: Path
) -> str:
    """Return the section: a line for each table, what it shows, and where its figures are.

    Args:
        configs: the folder of the configuration groups.
        entries: of `configs/ledger.yaml`: `table`, `page` (of docs) and `needs`.
        found: the filled tables.
        results: their folder; links are relative to its parent.

    Raises:
        RunError: if a table's configuration cannot be read.
    """
    lines = ["| table | shows | state | command | needs |", "| --- | --- | --- | --- | --- |"]
    for entry in entries:
        table = load_table(configs, entry["table"])
        command = (
            f"`python scripts/reproduce.py table={table.name} data=full data.root=<packed folder>`"
        )
        told = [
            f"[{'sample' if one.sample else 'real data'}]({_link(one, results)})"
            for one in found
            if one.name == table.name
        ]
        shows = f"{table.title}: [{entry['page']}]({entry['page']})"
        state = ", ".join(told) or "**not run**"
        lines.append(f"| {table.name} | {shows} | {state} | {command} | {entry['needs']} |")
    return "\n".join(["## Beyond the paper", "", *lines, ""])


def _link(one: Committed, results: Path) -> str:
    return one.file.with_suffix(".md").relative_to(results.parent).as_posix()
