"""The confusion matrix of a classification, in per cent of each true class."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.evaluation.classes import ClassReport
from experiments.figures.style import COLUMN, LOOK, new_figure, save

NARROW = 10  # classes whose numbers can be read in one column of a page
WRITTEN = 20  # and in two; with more, such as NTU's 60, cells have a color alone
SMALL = 5  # points of the names of many classes


def draw_confusion(report: ClassReport, stem: Path, *, title: str, provenance: str) -> list[Path]:
    """Draw the confusion matrix, with its counts as CSV beside, and return the paths.

    Args:
        report: what to draw.
        stem: of the files, without an ending.
        title: what the predictions are of.
        provenance: `sample` or `real`, the last column of the CSV.
    """
    with rc_context(LOOK):
        figure = _figure(report, title)
    rows = [
        {"true \\ predicted": name, **dict(zip(report.names, counts, strict=True))}
        | {"provenance": provenance}
        for name, counts in zip(report.names, report.confusion.tolist(), strict=True)
    ]
    return save(figure, stem, rows)


def _figure(report: ClassReport, title: str) -> Figure:
    count = len(report.names)
    columns = 1 if count <= NARROW else 2
    rows = [f"{name} ({n})" for name, n in zip(report.names, report.counts, strict=True)]
    numbers = [str(k) for k in range(1, count + 1)]
    many = count > WRITTEN
    below = numbers if many else list(report.names)
    beside = [f"{row} · {k}" for row, k in zip(rows, numbers, strict=True)] if many else rows
    size = SMALL if many else LOOK["font.size"]
    letter = 0.0085 * size  # inches, about
    side = columns * COLUMN - letter * max(map(len, beside)) - (0.45 if many else 0.25)
    slanted = letter * max(map(len, below)) * (1 if many else 0.71)
    heading = 0.13 * (title.count("\n") + 1)
    figure = new_figure(columns=columns, height=side + slanted + heading + (0.75 if many else 0.35))
    axes = figure.add_subplot()
    image = axes.imshow(report.shares, cmap="Blues", vmin=0, vmax=100)
    figure.suptitle(title, fontsize=LOOK["axes.titlesize"])
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=size)
    axes.set_yticks(range(count), beside)
    axes.set_ylabel("true (samples)")
    if many:
        axes.set_xticks(range(count), below, rotation=90)
        axes.set_xlabel("predicted")
        _rule(axes, count)
        bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.5, aspect=40, pad=0.01)
        bar.set_label("% of the true class")
    else:
        axes.set_xticks(range(count), below, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlabel("predicted (numbers: % of the true class)")
        _write_cells(axes, report)
    return figure


def _rule(axes: Any, count: int) -> None:
    """Draw thin lines between the cells, to follow a row to its name."""
    edges = np.arange(count + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", linewidth=0.3, color="#dddddd")


def _write_cells(axes: Any, report: ClassReport) -> None:
    for (i, j), share in np.ndenumerate(report.shares):
        if report.confusion[i, j]:
            color = "white" if share > 55 else "black"
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=7, color=color)
