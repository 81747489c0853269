"""What an evaluation leaves behind: JSON, CSV and a picture of the predictions."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.evaluation.classes import ClassReport
from experiments.evaluation.draw_levels import draw_levels
from experiments.evaluation.finished import Difference, Evaluation
from experiments.evaluation.statistics import Estimate
from experiments.evaluation.terminal import evaluation_title
from experiments.files import write_json, write_text, write_with
from experiments.runs.folder import Metrics


def write_evaluation(evaluation: Evaluation, difference: Difference | None, out: Path) -> None:
    """Write `figures.csv`, and for the rule `evaluation.json` and what suits its predictions.

    That is `classes.csv`, `confusion.csv` and `confusion.png` of a classification, `levels.csv`,
    `calibration.csv` and `levels.png` of a regression. The rule is part of the names, so that
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
    write = _write_classes if evaluation.classifies else _write_levels
    write(evaluation, out)


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


def _write_classes(evaluation: Evaluation, out: Path) -> None:
    rule, report = evaluation.rule, evaluation.report
    rows = report.rows()
    path = out / f"classes_{rule}.csv"
    _write_table(evaluation, path, list(rows[0]), [list(row.values()) for row in rows])
    matrix = zip(report.names, report.confusion.tolist(), strict=True)
    header = ["true \\ predicted", *report.names]
    counted = [[name, *counts] for name, counts in matrix]
    _write_table(evaluation, out / f"confusion_{rule}.csv", header, counted)
    draw_confusion(report, out / f"confusion_{rule}.png", title=_title(evaluation))


def _write_levels(evaluation: Evaluation, out: Path) -> None:
    rule, report = evaluation.rule, evaluation.levels
    for name, rows in (("levels", report.rows()), ("calibration", report.calibration())):
        path = out / f"{name}_{rule}.csv"
        _write_table(evaluation, path, list(rows[0]), [list(row.values()) for row in rows])
    draw_levels(report, out / f"levels_{rule}.png", title=_title(evaluation))


def _title(evaluation: Evaluation) -> str:
    pooled = f", {len(evaluation.runs)} runs pooled" if len(evaluation.runs) > 1 else ""
    return f"{evaluation_title(evaluation)}\n{evaluation.rule}{pooled}"


def _write_table(
    evaluation: Evaluation, path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write a CSV file whose last column says in every row whether it is of sample data."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*header, "provenance"])
    writer.writerows([*row, evaluation.provenance] for row in rows)
    write_text(path, text.getvalue())


def draw_confusion(report: ClassReport, path: Path, *, title: str) -> None:
    """Draw the confusion matrix as PNG: counts, and below them per cent of the true class.

    Args:
        report: what to draw.
        path: of the picture.
        title: what the predictions are of.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(report.names)
    written = count <= 20  # above that, numbers could not be read: NTU has 60 classes
    side = 1.6 + (0.85 if written else 0.2) * max(count, 5)
    figure = Figure(figsize=(side + 1.2, side + 0.6), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(report.shares, cmap="Blues", vmin=0, vmax=100)
    figure.colorbar(image, ax=axes, shrink=0.8, label="% of the true class")
    size = 10 if written else 6
    axes.set_xticks(range(count), report.names, rotation=45, ha="right", fontsize=size)
    rows = [f"{name} ({n})" for name, n in zip(report.names, report.counts, strict=True)]
    axes.set_yticks(range(count), rows, fontsize=size)
    axes.set(xlabel="predicted", ylabel="true (samples)")
    axes.set_title(title, fontsize=11, pad=12)
    if written:
        _write_cells(axes, report)
    write_with(path, lambda beside: FigureCanvasAgg(figure).print_png(str(beside)))


def _write_cells(axes: Any, report: ClassReport) -> None:
    for (i, j), share in np.ndenumerate(report.shares):
        count = report.confusion[i, j]
        color = "white" if share > 55 else "black" if count else "lightgray"
        text = f"{count}\n{share:.0f}%"
        axes.text(j, i, text, ha="center", va="center", fontsize=9, color=color)
