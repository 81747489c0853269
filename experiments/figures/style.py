"""One look for all figures: a paper's column wide, colors that everybody can tell apart."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.files import write_text, write_with

COLUMN = 3.4  # inches, of a page with two columns
# Okabe and Ito's palette, which differs for every kind of color vision; dark ones first. A gray is
# in the place of its yellow, which white paper swallows.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Without the date, so that the same figure is the same file.
KINDS: Any = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
LOOK: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "text.parse_math": False,  # a dollar in the name of a class is a dollar
    "svg.hashsalt": "msaf",  # the same file for the same figure
}


def new_figure(*, columns: float = 1, height: float = 2.4) -> Figure:
    """Return an empty figure, some columns wide and `height` inches high."""
    return Figure(figsize=(columns * COLUMN, height), dpi=200, layout="constrained")


def save(figure: Figure, stem: Path, rows: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write a figure as PNG, SVG and PDF, and its numbers as CSV, and return the paths.

    Args:
        figure: to write.
        stem: of all files, without an ending.
        rows: the numbers that are shown, all with the keys of the first.
    """
    paths = []
    for kind, metadata in KINDS.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        with rc_context(LOOK):
            write_with(path, partial(figure.savefig, format=kind, metadata=metadata))
        paths.append(path)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = stem.with_name(f"{stem.name}.csv")
    write_text(path, text.getvalue())
    return [*paths, path]
