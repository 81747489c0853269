"""The share of each modality, sample by sample: does the gate respond to what it sees?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from experiments.evaluation.attention import Measured
from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.parts import MANY, UNIFORM, legend_below, name_classes, titled_figure
from experiments.figures.style import COLORS, LOOK, save


def samples_figure(out: Path, **asked: Any) -> list[Path]:
    """Draw the share of each test sample and return the files that were written.

    A dot is a sample in a run; the boxes show the median, the quartiles and the middle 90 % of a
    class. Of two modalities the first is drawn, since the other has the rest.

    Args:
        out: the folder.
        asked: as for `measure_runs`.
    """
    runs = measure_runs(**asked)
    panels = [
        (i, j)
        for i, module in enumerate(runs.modules)
        for j in range(1 if len(module.modalities) == 2 else len(module.modalities))
    ]
    beside = 1 if len(runs.group_names()) > MANY else 2 if len(panels) % 3 else 3
    lines = -(-len(panels) // beside)
    with rc_context(LOOK):
        dots = "a dot: a sample in a run; boxes: median, quartiles, middle 90 %"
        figure = titled_figure(f"{runs.title}; {dots}", columns=2, height=2.3 * lines)
        axes = figure.subplots(lines, beside, squeeze=False).ravel()
        for place, (i, j) in zip(axes, panels, strict=False):
            _draw(place, runs, i, j)
        for place in axes[len(panels) :]:
            place.set_axis_off()
        legend_below(figure, axes[0])
    return save(figure, out / "samples", sample_rows(runs))


def sample_rows(runs: MeasuredRuns) -> list[dict[str, Any]]:
    """Return a row for each sample, run, module and modality; the mean over the segments."""
    return [
        {
            "id": str(measured.ids[n]),
            "label": label,
            "predicted": predicted,
            "fold": fold,
            "seed": seed,
            "module": module.name,
            "modality": modality,
            "share": float(share),
            **runs.described,
        }
        for (fold, seed), measured in runs.by_run.items()
        for n, (label, predicted) in enumerate(_judged(runs, measured))
        for module in measured.modules
        for modality, share in zip(module.modalities, module.shares[n].mean(0), strict=True)
    ]


def _judged(runs: MeasuredRuns, measured: Measured) -> Sequence[tuple[Any, Any]]:
    """Return label and prediction of each sample: names of classes, or numbers."""
    if not runs.evaluation.classifies:
        return list(zip(measured.labels.tolist(), measured.scores[:, 0].tolist(), strict=True))
    names = runs.evaluation.metrics.get("classes") or range(measured.scores.shape[1])
    chosen = measured.scores.argmax(1)
    return [(names[a], names[b]) for a, b in zip(measured.labels, chosen, strict=True)]


def _draw(axes: Axes, runs: MeasuredRuns, i: int, j: int) -> None:
    module, classes = runs.modules[i], runs.group_names()
    groups = np.concatenate([runs.groups(m) for m in runs.by_run.values()])
    shares = np.concatenate([m.modules[i].shares[:, :, j].mean(1) for m in runs.by_run.values()])
    places = {k: place for place, k in enumerate(classes)}
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(groups))
    alpha = float(np.clip(300 / len(groups), 0.05, 0.5))
    axes.scatter(
        np.array([places[int(k)] for k in groups]) + shift,
        shares,
        s=3,
        alpha=alpha,
        linewidths=0,
        color=COLORS[j],
        rasterized=True,  # thousands of dots make a vector file that no viewer likes
    )
    axes.boxplot(
        [shares[groups == k] for k in classes],
        positions=list(places.values()),
        widths=0.6,
        whis=(5, 95),
        showfliers=False,
        medianprops={"color": "black"},
    )
    uniform = float(module.uniform[j])
    axes.axhline(uniform, color="gray", label="uniform gate", **UNIFORM)
    name_classes(axes, list(classes.values()))
    axes.set(title=module.name, ylabel=f"share of {module.modalities[j]}")
