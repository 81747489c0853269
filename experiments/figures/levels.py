"""A picture of a regression: predictions beside labels, and how far they can be believed."""

from pathlib import Path
from typing import Any

import numpy as np

from experiments.evaluation.levels import LevelReport
from experiments.files import write_with

ENDS = (-3.4, 3.4)


def draw_levels(report: LevelReport, path: Path, *, title: str) -> None:
    """Draw as PNG, left: predictions against labels; right: mean labels of predictions alike.

    Args:
        report: what to draw.
        path: of the picture.
        title: what the predictions are of.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 5.2), dpi=120, layout="constrained")
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2)
    _draw_samples(left, report)
    _draw_calibration(right, report)
    for axes in (left, right):
        axes.plot(ENDS, ENDS, color="gray", linewidth=0.8, linestyle="--", zorder=0)
        axes.set(xlim=ENDS, ylim=ENDS, aspect="equal")
        axes.set_xticks(range(-3, 4))
        axes.set_yticks(range(-3, 4))
    write_with(path, lambda beside: FigureCanvasAgg(figure).print_png(str(beside)))


def _draw_samples(axes: Any, report: LevelReport) -> None:
    # Labels are means of three annotators, so many are the same: a small shift shows how many.
    shift = np.random.default_rng(0).uniform(-0.1, 0.1, len(report.labels))
    alpha = float(np.clip(150 / len(report.labels), 0.05, 0.5))
    shown = np.clip(report.predicted, *ENDS)
    axes.scatter(report.labels + shift, shown, s=8, alpha=alpha, linewidths=0, color="tab:blue")
    rows = report.rows()
    axes.errorbar(
        [row["mean_label"] for row in rows],
        [row["mean_prediction"] for row in rows],
        yerr=[row["spread"] for row in rows],
        fmt="o", color="black", markersize=5, capsize=3, linewidth=1.2,
        label="mean and standard deviation\nby rounded label",
    )  # fmt: skip
    axes.set(xlabel="label", ylabel="prediction", title=f"{len(report.labels)} predictions")
    axes.legend(loc="upper left", fontsize=8, frameon=False)


def _draw_calibration(axes: Any, report: LevelReport) -> None:
    rows = report.calibration()
    axes.errorbar(
        [row["mean_prediction"] for row in rows],
        [row["mean_label"] for row in rows],
        yerr=[row["error"] or 0.0 for row in rows],
        fmt="o-", color="tab:orange", markersize=5, capsize=3, linewidth=1.2,
        label=f"{len(rows)} equal parts by prediction,\nwith the standard error of the mean label",
    )  # fmt: skip
    axes.set(xlabel="mean prediction", ylabel="mean label", title="calibration")
    axes.legend(loc="upper left", fontsize=8, frameon=False)
