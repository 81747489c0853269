"""What an evaluation leaves behind as JSON and CSV."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.evaluation.finished import Difference, Evaluation
from experiments.evaluation.statistics import Estimate
from experiments.files import write_json, write_text
from experiments.runs.folder import Metrics


def write_evaluation(evaluation: Evaluation, difference: Difference | None, out: Path) -> None:
    """Write `figures.csv`, and for the rule `evaluation.json` and what suits its predictions.

    That is `classes.csv` and `confusion.csv` of a classification, `levels.csv` and
    `calibration.csv` of a regression. The rule is part of the names, so that
    several rules' files can lie side by side.

    Args:
        evaluation: of one or several runs.
        difference: to another evaluation, if there is one.
        out: the folder.
    """
    rule = evaluation.rule
    summary = _summary(evaluation)
    if difference is not None:
        summary["difference"] = {
            "metrics": {name: _plain(e) for name, e in difference.metrics.items()},
            f"{evaluation.sample_metric}_by_sample": _plain(difference.samples),
        }
    write_json(out / f"evaluation_{rule}.json", summary)
    header = ["rule", "metric", "mean", "error", "units", "unit", "runs"]
    figures = [
        [name, metric, *_plain(e).values()]
        for name, metrics in evaluation.figures().items()
        for metric, e in metrics.items()
    ]
    _write_table(evaluation, out / "figures.csv", header, figures)
    if evaluation.classifies:
        name, rows = "classes", evaluation.report.rows()
    else:
        name, rows = "calibration", evaluation.levels.calibration()
    lines = [list(row.values()) for row in rows]
    _write_table(evaluation, out / f"{name}_{rule}.csv", list(rows[0]), lines)


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    described = ("task", "data", "fusion", "modalities", "protocol", "hash", "headline")
    figures = evaluation.figures().items()
    return {
        **{key: evaluation.metrics[key] for key in described},
        "provenance": evaluation.provenance,
        "rule": evaluation.rule,
        "runs": [_measured(run.metrics) for run in evaluation.runs],
        "figures": {rule: {n: _plain(e) for n, e in metrics.items()} for rule, metrics in figures},
        "classes": evaluation.report.rows() if evaluation.classifies else None,
        "confusion": evaluation.report.confusion.tolist() if evaluation.classifies else None,
        **({} if evaluation.classifies else {"levels": evaluation.levels.rows()}),
    }


def _measured(metrics: Metrics) -> dict[str, Any]:
    """Return what one run gave, and what it stands on."""
    kept = ("fold", "seed", "sources", "commit", "manifest", "versions")
    figures = {rule: found["test"] for rule, found in metrics["reported"].items()}
    return {**{key: metrics.get(key) for key in kept}, "figures": figures}


def _plain(estimate: Estimate) -> dict[str, Any]:
    # JSON knows no NaN.
    return asdict(estimate) | {"error": None if math.isnan(estimate.error) else estimate.error}


def _write_table(
    evaluation: Evaluation, path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write a CSV file whose last column says in every row whether it is of sample data."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*header, "provenance"])
    writer.writerows([*row, evaluation.provenance] for row in rows)
    write_text(path, text.getvalue())
