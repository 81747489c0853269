"""Recordings one of whose modalities is another recording's: who notices, and where it attends.

A data set that replaces modalities says so in the names of its recordings: `name:modality=other`.
The experiment, its controls and its definitions: docs/utd_mhad_replacement.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console

from experiments.evaluation.experiments import find_experiments
from experiments.evaluation.finished import Evaluation, check_same_samples
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.statistics import Estimate, RunKey, differences, estimate
from experiments.figures.attention_runs import MeasuredRuns, measure_runs
from experiments.figures.omissions import omit
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


def find_compared(
    run: str | Sequence[str], rule: str | None, trust: bool, console: Console
) -> Compared:
    """Find the experiments and measure MSAF's attention; arguments as for `replacement_figure`.

    A recording counts as replaced whichever of its modalities is, one that a run does not use too.
    An experiment on other recordings than MSAF's, or with other replacements, is left out.

    Raises:
        RunError: if no runs have replaced modalities, or one experiment with MSAF is not among
            those that have.
    """
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
    first = evaluations[mine[0].label]
    for label, other in list(evaluations.items()):
        if reason := _unpaired(first, other):
            omit(f"{label}, {other.metrics['hash']}: {reason}", console)
            del evaluations[label]
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


def _unpaired(first: Evaluation, other: Evaluation) -> str:
    """Return why an experiment cannot be paired with MSAF's; nothing if it can."""
    if unshared := first.predictions.keys() ^ other.predictions.keys():
        names = ", ".join(sorted(map(_named, unshared)))
        return f"its folds and seeds are not those of {REFERENCE}: only one of the two has {names}"
    try:
        check_same_samples(first, other)
    except RunError as error:
        return f"compared with {REFERENCE}, {error}, or differ in what is replaced"
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
