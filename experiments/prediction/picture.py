"""A prediction as a picture: what the network was given above, what it says of it below."""

import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from experiments.contracts import Views
from experiments.figures.parts import titled_figure
from experiments.figures.style import COLORS, LOOK
from experiments.files import write_with
from experiments.prediction.predict import Answer

BARS = 10  # classes that have a bar
LETTERS = 110  # of a line of text
POINTS = 2000  # of a wave
WIDE = 6.6  # inches, of all frames together
DEEP = 1.9  # inches of the lowest row
Panel = tuple[float, Callable[[list[Axes]], None], int]  # inches, what draws it, number of axes


def draw_answer(answer: Answer, path: Path) -> None:
    """Write a picture of a prediction as PNG."""
    panels = _inputs(answer.sample.views)
    lowest = 1 + bool(answer.modules)
    panels.append((DEEP, partial(_outputs, answer), lowest))
    with rc_context(LOOK):
        height = sum(inches for inches, _, _ in panels)
        figure = titled_figure(_title(answer), columns=2, height=height)
        grid = figure.add_gridspec(
            len(panels), 1, height_ratios=[inches for inches, _, _ in panels]
        )
        for row, (_, draw, count) in enumerate(panels):
            inner = grid[row].subgridspec(1, count)
            draw([figure.add_subplot(inner[0, column]) for column in range(count)])
        write_with(path, lambda beside: figure.savefig(beside, format="png"))


def _title(answer: Answer) -> str:
    m = answer.run.reopened.run.metrics
    mark = ", trained on sample data" if m["provenance"] == "sample" else ""
    absent = f"; without {', '.join(answer.sample.missing)}" if answer.sample.missing else ""
    return (
        f"{answer.name}: {answer.says}\n"
        f"{m['task']}, {m['fusion']} ({' + '.join(m['modalities'])}) fold {m['fold']} seed "
        f"{m['seed']}{mark}{absent}"
    )


def _inputs(views: Views) -> list[Panel]:
    """Return a row for each kind of input that there is."""
    rows: list[Panel] = []
    if views.frames:
        shape = views.frames[0].image.shape
        wide = WIDE / len(views.frames)
        rows.append(
            (
                min(wide * shape[0] / shape[1], 2.4) + 0.2,
                lambda axes: _frames(views, axes),
                len(views.frames),
            )
        )
    if views.joints is not None:
        rows.append((1.5, partial(_joints, views), 5))
    if views.wave is not None:
        rows.append((1.0, partial(_wave, views), 1))
    if views.values:
        rows.append((1.3, partial(_values, views), 1))
    if views.text:
        lines = len(textwrap.wrap(views.text, LETTERS))
        rows.append((0.3 + 0.14 * lines, partial(_text, views), 1))
    return rows


def _frames(views: Views, axes: list[Axes]) -> None:
    for view, place in zip(views.frames, axes, strict=True):
        place.imshow(view.image)
        place.set_title(f"frame {view.number}", fontsize=6)
        place.axis("off")
        if view.box is not None:
            left, top, right, bottom = view.box
            place.add_patch(
                Rectangle((left, top), right - left, bottom - top, fill=False, color=COLORS[4])
            )


def _joints(views: Views, axes: list[Axes]) -> None:
    assert views.joints is not None
    joints = views.joints
    there = (joints != 0).any(-1)  # (F, P, J)
    seen = joints[there]
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(3), np.ones(3))
    chosen = np.linspace(0, len(joints) - 1, len(axes)).round().astype(int)
    for number, place in zip(chosen, axes, strict=True):
        for person, color in zip(range(joints.shape[1]), COLORS, strict=False):
            if not there[number, person].any():
                continue
            for one, other in views.bones:
                pair = joints[number, person, [one, other]]
                place.plot(pair[:, 0], pair[:, 1], color=color, linewidth=0.8)
        place.set(xlim=(low[0] - 0.1, high[0] + 0.1), ylim=(low[1] - 0.1, high[1] + 0.1))
        place.set_title(f"frame {number}", fontsize=6)
        place.set_aspect("equal")
        place.axis("off")


def _wave(views: Views, place: list[Axes]) -> None:
    axes = place[0]
    assert views.wave is not None
    wave = views.wave
    times = np.arange(len(wave.samples)) / wave.rate
    step = max(len(times) // POINTS, 1)
    whole = len(times) // step * step
    parts = wave.samples[:whole].reshape(-1, step)  # each point shows the extent of its samples
    axes.fill_between(
        times[:whole:step], parts.min(1), parts.max(1), color=COLORS[0], linewidth=0.3
    )
    axes.axvspan(*wave.used, color=COLORS[4], alpha=0.2, linewidth=0)
    axes.set(xlim=(0, max(times[-1], wave.used[1])), yticks=[], xlabel="seconds (shaded: used)")
    axes.spines["left"].set_visible(False)


def _values(views: Views, place: list[Axes]) -> None:
    axes = place[0]
    axes.bar(range(len(views.values)), list(views.values.values()), color=COLORS[2])
    axes.set_xticks(range(len(views.values)), list(views.values), rotation=90, fontsize=5)
    axes.set_xlim(-0.6, len(views.values) - 0.4)


def _text(views: Views, place: list[Axes]) -> None:
    axes = place[0]
    axes.axis("off")
    axes.text(0, 1, "\n".join(textwrap.wrap(views.text, LETTERS)), va="top", fontsize=7)


def _outputs(answer: Answer, axes: list[Axes]) -> None:
    if answer.probabilities is None:
        _sentiment(answer, axes[0])
    else:
        _probabilities(answer.probabilities, axes[0])
    if answer.modules:
        _attention(answer, axes[1])


def _probabilities(found: dict[str, float], axes: Axes) -> None:
    names = list(found)
    if len(names) > BARS:
        names = sorted(names, key=lambda name: -found[name])[:BARS]
    best = max(found, key=lambda name: found[name])
    colors = [COLORS[1] if name == best else COLORS[0] for name in names]
    axes.barh(names, [found[name] for name in names], color=colors)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="probability")


def _sentiment(answer: Answer, axes: Axes) -> None:
    value = float(answer.scores[0])
    axes.barh([0], [value], color=COLORS[1])
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(
        xlim=(-3.2, 3.2), yticks=[], ylim=(-1, 1), xlabel="negative      sentiment      positive"
    )


def _attention(answer: Answer, axes: Axes) -> None:
    """Draw each module's shares, with a line where a uniform gate's ends."""
    order = list(dict.fromkeys(name for m in answer.modules for name in m.modalities))
    colors = dict(zip(order, COLORS, strict=False))
    for row, entry in enumerate(answer.attention):
        start = even = 0.0
        for name, share in entry["shares"].items():
            label = name if name not in axes.get_legend_handles_labels()[1] else None
            axes.barh(row, share, left=start, color=colors[name], label=label, height=0.6)
            start, even = start + share, even + entry["uniform"][name]
            if even < 1 - 1e-6:
                axes.plot([even, even], [row - 0.4, row + 0.4], "k--", linewidth=0.8)
    axes.set_yticks(range(len(answer.modules)), [module.name for module in answer.modules])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share of attention (dashed: uniform)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(order))
