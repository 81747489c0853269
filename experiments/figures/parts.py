"""Parts that several figures have: a title, classes along an axis, a legend below."""

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.style import COLUMN, new_figure

UNIFORM: Any = {"linestyle": "--", "linewidth": 0.8}  # the line of a uniform gate
LETTERS = 70  # of a title, in a paper's column
MANY = 12  # classes or blocks; more of them need a page's width
LEVEL = 3  # letters of class names that stand level
SLANTED = 45


def titled_figure(title: str, *, columns: float, height: float) -> Figure:
    """Return an empty figure of some columns below its title, whose lines are broken as needed."""
    width = int(LETTERS * columns)
    lines = [line for part in title.splitlines() for line in textwrap.wrap(part, width)]
    figure = new_figure(columns=columns, height=height + 0.12 * len(lines))
    figure.suptitle("\n".join(lines), fontsize=7)
    return figure


def name_classes(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of classes below an axis, the smaller the more there are."""
    many = len(names) > MANY
    rotation = 90 if many else SLANTED if max(map(len, names)) > LEVEL else 0
    axes.set_xticks(range(len(names)), names, rotation=rotation, rotation_mode="anchor")
    for label in axes.get_xticklabels():
        label.set(ha="right" if rotation else "center", va="center" if many else "top")
    axes.tick_params(axis="x", labelsize=5 if many else 7)
    axes.set_xlim(-0.6, len(names) - 0.4)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Write the legend of some axes below the whole figure."""
    handles, labels = axes.get_legend_handles_labels()
    columns = int(3 * figure.get_figwidth() / COLUMN)
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
