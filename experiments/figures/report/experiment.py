"""One experiment in detail: figures, pictures, what it stands on, and how to make it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from experiments.evaluation.finished import Evaluation, FinishedRun
from experiments.evaluation.statistics import Estimate, RunKey
from experiments.evaluation.terminal import run_name
from experiments.figures.curve_logs import Log, read_log
from experiments.figures.report import grids, pictures
from experiments.figures.report.commands import commands, conversions, overrides_of, with_root
from experiments.figures.report.views import Article, Picture
from experiments.metric import number
from experiments.runs.compose import GROUPS
from experiments.runs.folder import Metrics, RunError
from experiments.runs.overrides import Overrides


@dataclass(frozen=True)
class Experiment:
    """What the page keeps of an experiment, less its predictions.

    Args:
        id: on the page.
        runs: they differ in fold and seed alone.
        figures: by rule and metric, over the runs.
        provenance: `real` or `sample`.
        config: of the first run; empty if it cannot be read.
        overrides: that make its configuration; `None` where that is not known.
        article: it in detail.
    """

    id: str
    runs: Sequence[FinishedRun]
    figures: Mapping[str, Mapping[str, Estimate]]
    provenance: str
    config: Mapping[str, Any]
    overrides: Overrides | None
    article: Article

    @property
    def metrics(self) -> Metrics:
        """Return what the first run says, which but for figures holds for all."""
        return self.runs[0].metrics

    @cached_property
    def name(self) -> str:
        """Return fusion, modalities and, where folds are protocols, the fold."""
        return experiment_name(self.runs)

    @property
    def settings(self) -> str:
        """Return the overrides that the name does not tell."""
        if self.overrides is None:
            return "not known"
        return str(self.overrides.without(*GROUPS, "modalities", "data.root")) or "defaults"

    @property
    def switches(self) -> str:
        """Return the switches of `docs/deviations.md` that are not the paper's, with their values.

        Under another protocol than the paper's these are all that its configuration has.
        """
        if self.overrides is None or not self.config:
            return "not known"
        protocol = self.config["protocol"]
        if protocol.get("name") != "paper":
            return ", ".join(f"{key}={value}" for key, value in protocol.items() if key != "name")
        return ", ".join(self.overrides.only("protocol").without(*GROUPS)) or "none"


def show(runs: Sequence[FinishedRun], id: str, known: Overrides | None = None) -> Experiment:
    """Look at an experiment under its headline rule.

    Args:
        runs: complete, and alike but for fold and seed.
        id: on the page.
        known: its overrides, where a table has them; else they are worked out, which takes longer.
    """
    evaluation = Evaluation(runs)
    config, notes = _config(runs[0]), []
    overrides = None
    try:
        overrides = overrides_of(config) if known is None else with_root(known, config)
    except RunError as error:
        notes.append(f"The command is not known: {error}.")
    drawn, unread = _curves(evaluation)
    notes += unread
    if evaluation.metrics.get("converted"):
        made = conversions(runs, config)
    else:
        made = commands(overrides, [run.key for run in runs]) if overrides is not None else []
    article = Article(
        id=id,
        title=experiment_name(runs),
        sample=evaluation.provenance == "sample",
        grids=[grids.figures(evaluation)],
        pictures=[*drawn, _predictions(evaluation)],
        details=[
            *grids.classes_or_levels(evaluation),
            grids.every_run(evaluation),
            *grids.sizes(evaluation),
        ],
        facts=grids.facts(runs),
        notes=notes,
        commands=[("runs", command) for command in made],
    )
    return Experiment(
        id, runs, evaluation.figures(), evaluation.provenance, config, overrides, article
    )


def experiment_name(runs: Sequence[FinishedRun]) -> str:
    """Return `msaf (video + audio)`, and the fold where folds are protocols."""
    metrics = runs[0].metrics
    fold = f", {metrics['fold']}" if isinstance(metrics["fold"], str) else ""
    return run_name(metrics) + fold


def places(keys: Sequence[RunKey]) -> tuple[str, str]:
    """Return the folds and the seeds of runs, as text."""
    folds, seeds = (sorted(set(found)) for found in zip(*keys, strict=True))
    return ", ".join(map(str, folds)), ", ".join(map(str, seeds))


def _config(run: FinishedRun) -> dict[str, Any]:
    """Read what a run was made with; nothing where that cannot be read."""
    try:
        return run.folder.config()
    except RunError:
        return {}


def _curves(evaluation: Evaluation) -> tuple[list[Picture], list[str]]:
    """Draw the learning curves; say of each log why it cannot be read."""
    if evaluation.metrics.get("converted"):
        return [], ["Others trained it, and so it has no learning curve."]
    if not evaluation.metrics.get("epochs"):
        return [], ["It trains nothing, and so has no learning curve."]
    logs, unread = [], []
    for run in evaluation.runs:
        try:
            logs.append(read_log(run))
        except RunError as error:
            unread.append(f"Not in the learning curves: {error}.")
    longest = max(logs, key=lambda log: len(log["epoch"]), default={})
    whole = [log for log in logs if log.keys() == longest.keys()
             and log["epoch"] == longest["epoch"]]  # fmt: skip
    if others := len(logs) - len(whole):
        unread.append(f"Not in the learning curves: {others} logs with other epochs or columns.")
    return [_drawn(evaluation, whole)] if whole else [], unread


def _drawn(evaluation: Evaluation, logs: Sequence[Log]) -> Picture:
    metric = evaluation.metric_names[0]
    last = [log[f"test/{metric}"][-1] for log in logs if f"test/{metric}" in log]
    mean = number(metric, float(np.mean(last))) if last else "unknown"
    caption = f"learning curves{f', mean of {len(logs)} runs' if len(logs) > 1 else ''}"
    epochs = len(logs[0]["epoch"])
    alt = f"{caption}: loss and {metric} over {epochs} epochs; on test {metric} ends at {mean}"
    source = pictures.embedded(pictures.curves(logs, metric))
    return Picture(caption, alt, source, evaluation.provenance == "sample")


def _predictions(evaluation: Evaluation) -> Picture:
    """Draw what a classification takes for what, or how a regression behaves over its range."""
    sample, rule = evaluation.provenance == "sample", evaluation.rule
    pooled = rule + (f", {len(evaluation.runs)} runs pooled" if len(evaluation.runs) > 1 else "")
    if evaluation.classifies:
        report = evaluation.report
        accuracy = f"accuracy {pictures.accuracy(report):.1f} %"
        caption = f"confusion matrix in per cent of the true class, {pooled}: {accuracy}"
        return Picture(caption, caption, pictures.embedded(pictures.confusion(report)), sample)
    caption = f"predictions by label, {pooled}"
    alt = f"{caption}: the levels below as a picture"
    return Picture(caption, alt, pictures.embedded(pictures.levels(evaluation.levels)), sample)
