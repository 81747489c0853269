"""The page's own small pictures: one column wide, so that a phone shows them in full size."""

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.evaluation.classes import ClassReport
from experiments.evaluation.levels import LevelReport
from experiments.figures.curve_logs import Log
from experiments.figures.style import COLORS, COLUMN, KINDS, LOOK

SPLITS = ("train", "test", "validation", "dev")  # each has a color of its own, in this order
WRITTEN = 20  # classes whose numbers can be read in a matrix
MARGINS = {"left": 0.17, "right": 0.97, "top": 0.96, "bottom": 0.12}


def embedded(svg: bytes) -> str:
    """Return a picture as the address of an `<img>`, where no script of it runs."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def curves(logs: Sequence[Log], metric: str) -> bytes:
    """Draw the loss, and a metric on each split, over the epochs: runs thin, their mean thick.

    Args:
        logs: of one experiment's runs, all with the same columns and epochs.
        metric: the task's first one.
    """
    with _drawing(height=3.3) as figure:
        axes = figure.subplots(2, 1, sharex=True)
        for ax, what in zip(axes, ("loss", metric), strict=True):
            for split, color in zip(SPLITS, COLORS, strict=False):
                _draw_curve(ax, logs, f"{split}/{what}", split, color)
            ax.set(ylabel=what)
            ax.yaxis.set_label_coords(-0.16, 0.5)  # however long the numbers are
            ax.grid(axis="y", linewidth=0.4, color="#dddddd")
        axes[1].set(xlabel="epoch")
        axes[1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes[1].legend(loc="best")
        figure.subplots_adjust(**MARGINS, hspace=0.12)
        return _svg(figure)


def confusion(report: ClassReport) -> bytes:
    """Draw a confusion matrix in per cent of the true class; its title states the accuracy."""
    count = len(report.names)
    with _drawing(height=COLUMN) as figure:
        axes = figure.add_axes((0.24, 0.22, 0.72, 0.7))
        axes.imshow(report.shares, cmap="Blues", vmin=0, vmax=100, interpolation="nearest")
        size = 6.5 if count <= WRITTEN else 2.5
        names = [name[: 14 if count <= WRITTEN else 30] for name in report.names]
        axes.set_xticks(range(count), names, rotation=45, ha="right", fontsize=size)
        axes.set_yticks(range(count), names, fontsize=size)
        axes.tick_params(length=0, pad=2)
        axes.set_xlabel("predicted", labelpad=1)
        axes.set_ylabel("true", labelpad=1)
        axes.set_title(f"accuracy {accuracy(report):.1f} %, {report.counts.sum()} predictions")
        if count <= WRITTEN:
            _write_shares(axes, report)
        return _svg(figure)


def levels(report: LevelReport) -> bytes:
    """Draw mean predictions by rounded label, and mean labels by tenths of the predictions."""
    by_label, by_prediction = report.rows(), report.calibration()
    with _drawing(height=3.0) as figure:
        axes = figure.subplots()
        axes.plot((-3, 3), (-3, 3), color="gray", linewidth=0.8, linestyle="--")
        axes.errorbar(
            [row["mean_label"] for row in by_label],
            [row["mean_prediction"] for row in by_label],
            yerr=[row["spread"] for row in by_label],
            fmt="o", color=COLORS[0], capsize=2, label="by rounded label, standard deviation",
        )  # fmt: skip
        axes.errorbar(
            [row["mean_label"] for row in by_prediction],
            [row["mean_prediction"] for row in by_prediction],
            xerr=[row["error"] or 0.0 for row in by_prediction],
            fmt="s", color=COLORS[1], capsize=2, label="tenths by prediction, standard error",
        )  # fmt: skip
        axes.set(xlabel="mean label", ylabel="mean prediction", xlim=(-3.4, 3.4))
        axes.legend(loc="upper left")
        figure.subplots_adjust(**MARGINS | {"bottom": 0.14})
        return _svg(figure)


def accuracy(report: ClassReport) -> float:
    """Return the per cent of all predictions that are right."""
    return 100 * float(report.confusion.trace() / report.confusion.sum())


def _write_shares(axes: Any, report: ClassReport) -> None:
    for (i, j), share in np.ndenumerate(report.shares):
        if share >= 0.5:
            color = "white" if share > 55 else "black"
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=6, color=color)


def _draw_curve(axes: Any, logs: Sequence[Log], column: str, label: str, color: str) -> None:
    found = np.array([log[column] for log in logs if column in log])  # (runs, epochs)
    if not found.size:
        return
    epochs = np.arange(1, found.shape[1] + 1)
    if len(found) > 1:
        # One line with gaps is drawn faster than a line for each run.
        x = np.tile([*epochs, np.nan], len(found))
        y = np.pad(found, ((0, 0), (0, 1)), constant_values=np.nan).ravel()
        axes.plot(x, y, color=color, alpha=0.25, linewidth=0.4)
    axes.plot(epochs, found.mean(0), color=color, label=label, linewidth=1.4)


@contextmanager
def _drawing(*, height: float) -> Iterator[Figure]:
    """Give an empty figure a column wide; its layout is fixed, since a fitted one takes long."""
    with rc_context(LOOK | {"svg.fonttype": "none"}):
        yield Figure(figsize=(COLUMN, height))


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata=KINDS["svg"])
    return file.getvalue()
