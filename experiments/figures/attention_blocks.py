"""Figure 7: the attention of each block, the first module above the last.

The paper's caption says that blocks 14 to 16 belong to the audio modality. Its own network has none
such: blocks of 16 channels cut 1024 + 32 channels into 64 of video and 2 of audio, and blocks of 32
cut 2048 + 64 into as many. So audio are blocks 65 and 66 in both modules.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.parts import MANY, UNIFORM, legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, save


def figure7(out: Path, **asked: Any) -> list[Path]:
    """Draw Figure 7 and return the files that were written.

    A bar is a block's mean over all samples (and segments), its error bar the standard error over
    the runs; the dots are the runs. Over several seeds read the dots: blocks of one place in runs
    that start from different weights have nothing in common but it.

    Args:
        out: the folder.
        asked: as for `measure_runs`.
    """
    runs = measure_runs(**asked)
    rows = block_rows(runs)
    last = len(runs.modules) - 1
    numbers = sorted({0, last})
    most = max(len(runs.modules[number].of_block) for number in numbers)
    with rc_context(LOOK):
        figure = titled_figure(
            runs.title_of_means, columns=2 if most > MANY else 1, height=1.7 * len(numbers) + 0.2
        )
        panels = figure.subplots(len(numbers), squeeze=False)[:, 0]
        for axes, number in zip(panels, numbers, strict=True):
            name = runs.modules[number].name
            place = "only" if not last else "first" if number == 0 else "last"
            axes.set_title(f"{name} ({place} module)")
            _draw(axes, [row for row in rows if row["module"] == name])
            _draw_runs(axes, _by_run(runs, number))
        panels[-1].set_xlabel("block")
        legend_below(figure, panels[0])
    return save(figure, out / "figure7", rows)


def block_rows(runs: MeasuredRuns) -> list[dict[str, Any]]:
    """Return a row for each block, from 1 on, of each module: its mean attention over the runs."""
    return [
        {
            "module": module.name,
            "block": block + 1,
            "modality": modality,
            **runs.mean(m.modules[i].blocks[:, :, block].mean() for m in runs.by_run.values()),
            "uniform": 1 / len(module.of_block),
            **runs.described,
        }
        for i, module in enumerate(runs.modules)
        for block, modality in enumerate(module.of_block)
    ]


def _by_run(runs: MeasuredRuns, number: int) -> np.ndarray:
    """Return each run's mean attention of each block, `(runs, n)`."""
    return np.stack([m.modules[number].blocks.mean((0, 1)) for m in runs.by_run.values()])


def _draw(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    for number, modality in enumerate(dict.fromkeys(row["modality"] for row in rows)):
        mine = [row for row in rows if row["modality"] == modality]
        axes.bar(
            [row["block"] for row in mine],
            [row["mean"] for row in mine],
            yerr=[row["error"] or np.nan for row in mine],
            width=0.8,
            color=COLORS[number],
            error_kw={"linewidth": 0.8, "capsize": 1.5},
            label=modality,
        )
    label = "uniform gate (1 / N)"
    axes.axhline(rows[0]["uniform"], color="black", label=label, **UNIFORM)
    axes.set_xlim(0.3, len(rows) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(20, integer=True, min_n_ticks=1))
    axes.set_ylabel("attention")


def _draw_runs(axes: Axes, values: np.ndarray) -> None:
    if len(values) == 1:
        return
    blocks = np.broadcast_to(np.arange(1, values.shape[1] + 1), values.shape)
    axes.plot(blocks.T, values.T, ".", color="#555555", markersize=1.5, alpha=0.6)
