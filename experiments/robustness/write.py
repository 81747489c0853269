"""Robustness as files: markdown to read, CSV to plot, JSON with every run's figures."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.files import write_text
from experiments.robustness.grids import ConditionGrid, Row, condition_grids
from experiments.robustness.summary import Measured, attention, figures
from experiments.runs.sources import commit, sources_hash


@dataclass(frozen=True)
class Robustness:
    """What was measured, and on what it stands.

    Args:
        task: of all experiments.
        rule: the reporting rule whose weights were run.
        every: the experiments.
        reference: the label of the one that others are compared with; none if it is not there.
        left_out: runs that do not count, each with the reason.
    """

    task: str
    rule: str
    every: Sequence[Measured]
    reference: str | None
    left_out: Sequence[str]

    @property
    def provenance(self) -> str:
        """Return `sample` if any run is of rendered data, else `real`."""
        runs = [run for measured in self.every for run in measured.experiment.runs]
        return "sample" if any(r.metrics["provenance"] == "sample" for r in runs) else "real"

    @property
    def metric(self) -> str:
        """Return the task's main metric."""
        return self.every[0].metrics[0]

    @property
    def title(self) -> str:
        """Return what this is, with the mark of sample data."""
        return f"Robustness on {self.task}" + " (sample data)" * (self.provenance == "sample")


def write_robustness(found: Robustness, out: Path) -> list[Path]:
    """Write `robustness.md`, `.json`, `figures.csv` and `attention.csv`, and return the paths."""
    rows, shares = list(figures(found.every, found.reference)), list(attention(found.every))
    paths = [out / "robustness.md", out / "robustness.json"]
    write_text(paths[0], markdown(found, rows, shares))
    write_text(paths[1], json.dumps(_whole(found, rows, shares)) + "\n")  # indented, thrice as long
    for name, table in (("figures", rows), ("attention", shares)):
        if table:
            paths.append(out / f"{name}.csv")
            write_text(paths[-1], _csv({**row, "provenance": found.provenance} for row in table))
    return paths


def markdown(found: Robustness, rows: Sequence[Row], shares: Sequence[Row]) -> str:
    """Return the tables of the main metric and of the attention."""
    passages = [f"# {found.title}", _reading(found, rows)]
    grids = condition_grids(rows, shares, metric=found.metric, reference=found.reference)
    for before, grid in zip([None, *grids], grids, strict=False):
        if before is None or before.modality != grid.modality:
            passages += [f"## {grid.modality} missing or corrupted", grid.note]
        passages += [f"{grid.caption[:1].upper()}{grid.caption[1:]}:", _table(grid)]
    if found.left_out:
        passages.append("Left out:\n\n" + "\n".join(f"* {text}" for text in found.left_out))
    return "\n\n".join(passage for passage in passages if passage) + "\n"


def _reading(found: Robustness, rows: Sequence[Row]) -> str:
    covers = sorted({row["over"] for row in rows})
    pairs = (
        f" Differences to {found.reference} are paired over the folds and seeds that both have. "
        "They are many comparisons: some differ by two errors by chance."
    )
    return (
        f"Weights of `{found.rule}`; test data as they are (`clean`) and corrupted at test time "
        f"alone. Errors are standard errors over: {'; '.join(covers)}. `absent` runs the network "
        "without the modality's features, as modality dropout trains it; `zeros` and `mean` put "
        f"zeros or the training mean in place of the input.{pairs * bool(found.reference)} Sources "
        f"{sources_hash()[:8]}, commit {commit() or 'unknown'}."
    )


def _table(grid: ConditionGrid) -> str:
    lines = [grid.head, ["---", *["---:"] * (len(grid.head) - 1)], *grid.body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _whole(found: Robustness, rows: Sequence[Row], shares: Sequence[Row]) -> dict[str, Any]:
    return {
        "title": found.title,
        "task": found.task,
        "rule": found.rule,
        "metric": found.metric,
        "reference": found.reference,
        "provenance": found.provenance,
        "sources": sources_hash(),
        "commit": commit(),
        "left_out": list(found.left_out),
        "figures": list(rows),
        "attention": list(shares),
        "runs": [
            {
                "experiment": measured.label,
                "hash": measured.experiment.runs[0].metrics["hash"],
                "fold": fold,
                "seed": seed,
                "outcomes": {
                    c.key: None if outcomes[c.key] is None else asdict(outcomes[c.key])  # type: ignore[arg-type]
                    for c in measured.conditions
                },
            }
            for measured in found.every
            for (fold, seed), outcomes in measured.outcomes.items()
        ],
    }


def _csv(rows: Iterable[Row]) -> str:
    every = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(every[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(every)
    return text.getvalue()
