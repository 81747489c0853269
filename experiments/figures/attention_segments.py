"""The share of each modality over the segments of a sequence, of modules that have several."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.parts import UNIFORM, legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, MARKERS, save
from experiments.runs.folder import RunError


def segments_figure(out: Path, **asked: Any) -> list[Path]:
    """Draw the shares over the segments and return the files that were written.

    Args:
        out: the folder.
        asked: as for `measure_runs`.

    Raises:
        RunError: if no module has several segments.
    """
    runs = measure_runs(**asked)
    rows = segment_rows(runs)
    if not rows:
        whole = ", ".join(module.name for module in runs.modules)
        raise RunError(
            f"figure=segments: {whole} of these runs see the whole sequence at once; name runs "
            "with fusion.mid.segments above 1, as task=mosei has"
        )
    names = list(dict.fromkeys(row["module"] for row in rows))
    with rc_context(LOOK):
        figure = titled_figure(
            f"{runs.title}; {runs.error}", columns=min(len(names), 2), height=2.5
        )
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            axes.set_title(name)
            _draw(axes, [row for row in rows if row["module"] == name])
        panels[0].set_ylabel("share of attention")
        legend_below(figure, panels[0])
    return save(figure, out / "segments", rows)


def segment_rows(runs: MeasuredRuns) -> list[dict[str, Any]]:
    """Return a row for each module, segment (from 1 on) and modality: the mean over the runs."""
    return [
        {
            "module": module.name,
            "segment": s + 1,
            "modality": modality,
            **runs.mean(m.modules[i].shares[:, s, j].mean() for m in runs.by_run.values()),
            "uniform": float(module.uniform[j]),
            **runs.described,
        }
        for i, module in enumerate(runs.modules)
        if module.blocks.shape[1] > 1
        for s in range(module.blocks.shape[1])
        for j, modality in enumerate(module.modalities)
    ]


def _draw(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    for number, modality in enumerate(dict.fromkeys(row["modality"] for row in rows)):
        mine = [row for row in rows if row["modality"] == modality]
        segments = [row["segment"] for row in mine]
        axes.errorbar(
            segments,
            [row["mean"] for row in mine],
            yerr=[row["error"] or np.nan for row in mine],
            marker=MARKERS[number],
            color=COLORS[number],
            capsize=2,
            linewidth=0.9,
            label=modality,
        )
        axes.axhline(mine[0]["uniform"], color=COLORS[number], **UNIFORM)
    axes.plot([], [], color="gray", label="uniform gate", **UNIFORM)
    axes.set_xticks(segments)
    axes.set(xlabel="segment of the sequence", ylim=(0, None))
