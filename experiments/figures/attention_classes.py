"""Figure 6: the attention averaged for each class and summed by modality, of every module."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from experiments.evaluation.attention import Measured
from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.parts import MANY, UNIFORM, legend_below, name_classes, titled_figure
from experiments.figures.style import COLORS, LOOK, MARKERS, save


def figure6(out: Path, **asked: Any) -> list[Path]:
    """Draw Figure 6 and return the files that were written.

    Above: the share of all attention that each modality gets, averaged over the samples of a class
    (and over the segments, where there are several). Below: the same less the share that a uniform
    gate would give, on a scale of its own.

    Args:
        out: the folder.
        asked: as for `measure_runs`.
    """
    runs = measure_runs(**asked)
    rows = class_rows(runs)
    modules = [module.name for module in runs.modules]
    beside = len(runs.group_names()) <= MANY
    wide = min(len(modules), 2) if beside else 2
    grid = (2, len(modules)) if beside else (2 * len(modules), 1)
    with rc_context(LOOK):
        height = 3.6 if beside else 3.2 * len(modules)
        figure = titled_figure(runs.title_of_means, columns=wide, height=height)
        axes = figure.subplots(*grid, squeeze=False, sharex="col" if beside else False)
        pairs = axes.T if beside else axes.reshape(-1, 2)
        for number, (name, (above, below)) in enumerate(zip(modules, pairs, strict=True)):
            shown = [row for row in rows if row["module"] == name]
            last = " (the last, as in the paper)" if number + 1 == len(modules) else ""
            above.set_title(name + last)
            _draw(above, shown, offset=False)
            _draw(below, shown, offset=True)
            above.tick_params(labelbottom=not beside)
            below.set_xlabel("class" if runs.evaluation.classifies else "label, rounded")
        for row in axes[:: 1 if beside else 2]:
            row[0].figure.align_ylabels(row)
        legend_below(figure, pairs[0][0])
    return save(figure, out / "figure6", rows)


def class_rows(runs: MeasuredRuns) -> list[dict[str, Any]]:
    """Return a row for each module, class and modality: the mean share over the runs."""
    return [
        {
            "module": module.name,
            "class": name,
            "modality": modality,
            **runs.mean(_share(runs, m, i, j, k) for m in runs.by_run.values()),
            "uniform": float(module.uniform[j]),
            **runs.described,
        }
        for i, module in enumerate(runs.modules)
        for k, name in runs.group_names().items()
        for j, modality in enumerate(module.modalities)
    ]


def _share(runs: MeasuredRuns, measured: Measured, i: int, j: int, k: int) -> float | None:
    of_class = measured.modules[i].shares[runs.groups(measured) == k, :, j]
    return float(of_class.mean()) if of_class.size else None


def _draw(axes: Axes, rows: Sequence[dict[str, Any]], *, offset: bool) -> None:
    classes = list(dict.fromkeys(row["class"] for row in rows))
    modalities = list(dict.fromkeys(row["modality"] for row in rows))
    places = np.arange(len(classes))
    for number, modality in enumerate(modalities):
        mine = [row for row in rows if row["modality"] == modality]
        uniform = mine[0]["uniform"]
        color = "gray" if offset else COLORS[number]
        axes.axhline(0 if offset else uniform, color=color, **UNIFORM)
        axes.errorbar(
            places + 0.28 * (number - (len(modalities) - 1) / 2),
            [row["mean"] - (uniform if offset else 0) for row in mine],
            yerr=[row["error"] or np.nan for row in mine],
            fmt=MARKERS[number],
            color=COLORS[number],
            capsize=2,
            linewidth=0.9,
            label=modality,
        )
    axes.plot([], [], color="gray", label="uniform gate", **UNIFORM)
    name_classes(axes, classes)
    axes.set_ylabel("less the uniform share" if offset else "share of attention")
    if not offset:
        axes.set_ylim(0, 1)
