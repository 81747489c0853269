"""What `scripts/robustness.py` wrote, as the page shows it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.figures.report.views import Article, Grid
from experiments.metric import number
from experiments.runs.folder import RunError

Row = Mapping[str, Any]


def robustness_article(file: Path, *, id: str) -> Article:
    """Show figures and attention under each condition.

    Args:
        file: `robustness.json`.
        id: on the page.

    Raises:
        RunError: if it is not what this version of `scripts/robustness.py` writes.
    """
    try:
        content = json.loads(file.read_text())
        sample = content["provenance"] == "sample"
        figures = [row for row in content["figures"] if row["metric"] == content["metric"]]
        grids = [_grid(f"{content['metric']} under {content['rule']}", figures, sample)]
        if shares := _own_shares(content["attention"]):
            grids.append(_grid("share of the attention on the corrupted modality", shares, sample))
        left_out = [f"Left out: {reason}" for reason in content["left_out"]]
        return Article(id, str(content["title"]), sample, grids, notes=left_out)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{file}: expected what scripts/robustness.py writes, found something else "
            f"({type(error).__name__}: {error}): write it again"
        ) from None


def _own_shares(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the shares of the modality that is corrupted; a line for each module."""
    return [
        {**row, "experiment": f"{row['experiment']}, {row['module']}", "metric": "share"}
        for row in rows
        if row["share_of"] == row["modality"]
    ]


def _grid(caption: str, rows: Sequence[Row], sample: bool) -> Grid:
    """Return a line for each experiment and a column for each condition."""
    columns = list(dict.fromkeys(map(_condition, rows)))
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(str(row["experiment"]), {})[_condition(row)] = _cell(row)
    body = [[name, *(cells.get(column, "") for column in columns)] for name, cells in lines.items()]
    return Grid(f"{caption}, ± standard error", ["experiment", *columns], body, sample)


def _condition(row: Row) -> str:
    degree = f"{row['strength']:g} {row['unit']}" if row["unit"] else ""
    return " ".join(part for part in (row["modality"], row["corruption"], degree) if part)


def _cell(row: Row) -> str:
    def written(value: float) -> str:
        return f"{value:.3f}" if row["metric"] == "share" else number(row["metric"], value)

    return written(row["mean"]) + ("" if row["error"] is None else f" ± {written(row['error'])}")
