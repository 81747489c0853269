"""The confusion matrix of a classification."""

from pathlib import Path
from typing import Any

import numpy as np

from experiments.evaluation.classes import ClassReport
from experiments.files import write_with


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
