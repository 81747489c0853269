"""A picture of a regression: predictions beside labels, and how far they can be believed."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from experiments.evaluation.levels import LevelReport
from experiments.figures.style import COLORS, LOOK, new_figure, save

ENDS = (-3.4, 3.4)


def draw_levels(report: LevelReport, stem: Path, *, title: str, provenance: str) -> list[Path]:
    """Draw, left: predictions against labels; right: mean labels of predictions alike.

    The figures of each rounded label lie beside as CSV. Returns the paths.

    Args:
        report: what to draw.
        stem: of the files, without an ending.
        title: what the predictions are of.
        provenance: `sample` or `real`, the last column of the CSV.
    """
    with rc_context(LOOK):
        figure = new_figure(columns=2, height=3.9)
        figure.suptitle(title, fontsize=LOOK["axes.titlesize"])
        left, right = figure.subplots(1, 2)
        _draw_samples(left, report)
        _draw_calibration(right, report)
        for axes in (left, right):
            axes.plot(ENDS, ENDS, color="gray", linewidth=0.8, linestyle="--", zorder=0)
            axes.set(xlim=ENDS, ylim=ENDS, aspect="equal")
            axes.set_xticks(range(-3, 4))
            axes.set_yticks(range(-3, 4))
    return save(figure, stem, [row | {"provenance": provenance} for row in report.rows()])


def _draw_samples(axes: Any, report: LevelReport) -> None:
    # Labels are means of three annotators, so many are the same: a small shift shows how many.
    shift = np.random.default_rng(0).uniform(-0.1, 0.1, len(report.labels))
    alpha = float(np.clip(150 / len(report.labels), 0.05, 0.5))
    shown = np.clip(report.predicted, *ENDS)
    axes.scatter(
        report.labels + shift, shown,
        s=5, alpha=alpha, linewidths=0, color=COLORS[0], rasterized=True,  # thousands of points
    )  # fmt: skip
    rows = report.rows()
    axes.errorbar(
        [row["mean_label"] for row in rows],
        [row["mean_prediction"] for row in rows],
        yerr=[row["spread"] for row in rows],
        fmt="o", color="black", capsize=2,
        label="mean and standard deviation\nby rounded label",
    )  # fmt: skip
    axes.set(xlabel="label", ylabel="prediction", title=f"{len(report.labels)} predictions")
    axes.legend(loc="upper left")


def _draw_calibration(axes: Any, report: LevelReport) -> None:
    rows = report.calibration()
    axes.errorbar(
        [row["mean_prediction"] for row in rows],
        [row["mean_label"] for row in rows],
        yerr=[row["error"] or 0.0 for row in rows],
        fmt="o-", color=COLORS[1], capsize=2,
        label=f"{len(rows)} equal parts by prediction,\nwith the standard error of the mean label",
    )  # fmt: skip
    axes.set(xlabel="mean prediction", ylabel="mean label", title="calibration")
    axes.legend(loc="upper left")
