"""Recordings one of whose modalities is another recording's: who notices, and where it attends.

A data set that replaces modalities says so in the names of its recordings: `name:modality=other`.
The experiment, its controls and its definitions: docs/utd_mhad_replacement.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from rich.console import Console

from experiments.console import console
from experiments.evaluation.experiments import find_experiments
from experiments.evaluation.finished import Evaluation, Predictions
from experiments.evaluation.statistics import Estimate, RunKey, differences, estimate
from experiments.evaluation.terminal import sample_mark
from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.omissions import omit
from experiments.figures.parts import legend_below, titled_figure
from experiments.figures.style import COLORS, LOOK, MARKERS, save
from experiments.runs.folder import RunError

ALL = "all"
MEAN = "mean of all"
MORE = "replaced less intact"  # of differences
REFERENCE = "msaf"


def replaced_in(name: str) -> str:
    """Return the modality that is another recording's, as its name says; nothing if none is."""
    return name.partition(":")[2].partition("=")[0]


def _of(names: np.ndarray) -> np.ndarray:
    return np.array([replaced_in(str(name)) for name in names])


REPLACED, INTACT = "one modality replaced", "intact"
GROUPS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    ALL: lambda gone: np.full(len(gone), True),
    REPLACED: lambda gone: gone != "",
    INTACT: lambda gone: gone == "",
}
"""Groups of recordings, from what is replaced in each of them."""


@dataclass(frozen=True)
class Compared:
    """The experiments under one rule, by label, and the attention of MSAF's."""

    evaluations: Mapping[str, Evaluation]
    reference: str
    attention: MeasuredRuns


def replacement_figure(
    out: Path,
    run: str | Sequence[str],
    rule: str | None = None,
    *,
    trust: bool = False,
    console: Console = console,
) -> list[Path]:
    """Draw accuracy, MSAF's difference to each other fusion, and the change of its attention.

    Args:
        out: the folder.
        run: folders or patterns, of MSAF and of what it is compared with.
        rule: the reporting rule; by default the runs' headline.
        trust: as for `reopen`.
        console: where progress and omissions go.

    Returns:
        The files that were written.

    Raises:
        RunError: if the runs have no replaced modality, are no classification, or one experiment
            with MSAF is not among them.
    """
    found = _compared(run, rule, trust, console)
    rows = accuracy_rows(found) + difference_rows(found) + attention_rows(found)
    first = found.evaluations[found.reference]
    over = estimate(dict.fromkeys(first.predictions, 0.0)).covers()
    mark = sample_mark(first.provenance)
    title = f"{first.metrics['task']}{mark}, one modality replaced; {first.rule}, test split"
    with rc_context(LOOK):
        height = 1.2 + 0.22 * len(found.evaluations)
        figure = titled_figure(f"{title}\nbars: standard error, {over}", columns=2, height=height)
        accuracy, gain, attention = figure.subplots(1, 3)
        names = list(found.evaluations)
        _draw(accuracy, [row for row in rows if row["quantity"] == "accuracy"], names)
        _draw(gain, [row for row in rows if row["quantity"] == "difference"], names)
        gain.set_yticklabels([])
        _draw_attention(attention, [row for row in rows if row["quantity"] == "attention"])
        accuracy.set(xlabel="accuracy (%)")
        gain.set(xlabel=f"{found.reference} less the other (points)")
        attention.set(xlabel="share where replaced\nless share where intact")
        for axes in (gain, attention):
            axes.axvline(0, color="gray", linewidth=0.8, linestyle="--")
        legend_below(figure, accuracy)
    return save(figure, out / "replacement", rows)


def _compared(
    run: str | Sequence[str], rule: str | None, trust: bool, console: Console
) -> Compared:
    experiments, left_out = find_experiments(run)
    for reason in left_out:
        omit(reason, console)
    evaluations: dict[str, Evaluation] = {}
    for one in experiments:
        evaluation = Evaluation(one.runs, rule)
        if reason := _says_nothing(evaluation):
            omit(f"{one.label}, {one.runs[0].metrics['hash']}: {reason}", console)
        else:
            evaluations[one.label] = evaluation
    mine = [one for one in experiments if one.label in evaluations and one.fusion == REFERENCE]
    if len(mine) != 1:
        raise RunError(
            f"expected runs trained with a datamodule.replaced.share between 0 and 1, one "
            f"experiment with fusion={REFERENCE} and those that it is compared with, found "
            f"{', '.join(evaluations) or 'none'}: name their folders"
        )
    paths = [str(one.folder.path) for one in mine[0].runs]
    measured = measure_runs(paths, rule, trust=trust, console=console)
    return Compared(evaluations, mine[0].label, measured)


def _says_nothing(evaluation: Evaluation) -> str:
    """Return why an experiment is not of this figure; nothing if it is."""
    if not evaluation.classifies:
        return "a regression has no accuracy"
    for predictions in evaluation.predictions.values():
        gone = _of(predictions.ids)
        if not (gone != "").any() or not (gone == "").any():
            return "a run has no recordings with a replaced modality, or no others"
    return ""


def accuracy_rows(found: Compared) -> list[dict[str, Any]]:
    """Return a row for each experiment and group of recordings: its accuracy, in per cent."""
    return [
        _row("accuracy", group, estimate(_accuracies(one, group)), one, experiment=label)
        for label, one in found.evaluations.items()
        for group in GROUPS
    ]


def difference_rows(found: Compared) -> list[dict[str, Any]]:
    """Return a row for each other experiment and group: MSAF less it, paired by fold and seed.

    A last row says how much more that is on recordings with a replacement than on those without.
    """
    first = found.evaluations[found.reference]
    rows = []
    for label, other in found.evaluations.items():
        if label == found.reference:
            continue
        row = partial(_row, "difference", evaluation=other, experiment=label)
        by_group = {
            group: differences(_accuracies(first, group), _accuracies(other, group), _named)
            for group in GROUPS
        }
        rows += [row(group, estimate(values)) for group, values in by_group.items()]
        more = differences(by_group[REPLACED], by_group[INTACT], _named)
        rows.append(row(MORE, estimate(more)))
    return rows


def _named(key: RunKey) -> str:
    return f"fold {key[0]} seed {key[1]}"


def attention_rows(found: Compared) -> list[dict[str, Any]]:
    """Return a row for each module and modality, and for the mean of all of them.

    It is the modality's share of the attention where it is replaced less its share in recordings
    without a replacement.
    """
    runs = found.attention
    every = [(i, j) for i, m in enumerate(runs.modules) for j in range(len(m.modalities))]
    changes = {place: _changes(runs, *place) for place in every}
    row = partial(_row, "attention", evaluation=runs.evaluation, experiment=found.reference)
    rows = [
        row(
            group=runs.modules[i].name,
            value=estimate(values),
            modality=runs.modules[i].modalities[j],
        )
        for (i, j), values in changes.items()
    ]
    means = {key: float(np.mean([values[key] for values in changes.values()]))
             for key in runs.by_run}  # fmt: skip
    return [*rows, row(group=MEAN, value=estimate(means), modality=MEAN)]


def _changes(runs: MeasuredRuns, i: int, j: int) -> dict[RunKey, float]:
    """Return of each run how a modality's share in a module changes where it is replaced."""
    modality = runs.modules[i].modalities[j]
    found = {}
    for key, measured in runs.by_run.items():
        gone, shares = _of(measured.ids), measured.modules[i].shares[:, :, j].mean(1)
        if not (gone == modality).any():
            raise RunError(f"fold {key[0]} seed {key[1]}: {modality} is replaced in no recording")
        found[key] = float(shares[gone == modality].mean() - shares[gone == ""].mean())
    return found


def _accuracies(evaluation: Evaluation, group: str) -> dict[RunKey, float]:
    return {key: _accuracy(p, group) for key, p in evaluation.predictions.items()}


def _accuracy(predictions: Predictions, group: str) -> float:
    right = predictions.scores.argmax(1) == predictions.labels
    return 100 * float(right[GROUPS[group](_of(predictions.ids))].mean())


def _row(
    quantity: str,
    group: str,
    value: Estimate,
    evaluation: Evaluation,
    *,
    experiment: str,
    modality: str = "",
) -> dict[str, Any]:
    m = evaluation.metrics
    return {
        "quantity": quantity,
        "experiment": experiment,
        "group": group,
        "modality": modality,
        "mean": value.mean,
        "error": None if np.isnan(value.error) else value.error,
        "units": value.units,
        "unit": value.unit,
        "runs": value.runs,
        "task": m["task"],
        "hash": m["hash"],
        "rule": evaluation.rule,
        "provenance": evaluation.provenance,
    }


def _draw(axes: Axes, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Draw a line for each experiment, with a mark for each group of recordings."""
    for number, group in enumerate(GROUPS):
        own = [row for row in rows if row["group"] == group]
        aside = 0.18 * (number - (len(GROUPS) - 1) / 2)
        places = [names.index(row["experiment"]) + aside for row in own]
        _mark(axes, own, places, color=COLORS[number], marker=MARKERS[number], label=group)
    _name(axes, names)


def _draw_attention(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw a line for each module and modality, the mean of all below."""
    _mark(axes, rows, range(len(rows)), color="black", marker="o")
    names = [", ".join(dict.fromkeys((row["modality"], row["group"]))) for row in rows]
    _name(axes, names)


def _mark(axes: Axes, rows: Sequence[dict[str, Any]], places: Sequence[float], **look: Any) -> None:
    values, errors = ([row[key] or 0.0 for row in rows] for key in ("mean", "error"))
    axes.errorbar(values, places, xerr=errors, linestyle="none", elinewidth=0.8, **look)


def _name(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", linewidth=0.4, color="#dddddd")
