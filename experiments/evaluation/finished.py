"""Complete runs read back: one or several of an experiment, their figures and predictions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from experiments.evaluation.classes import ClassReport, class_report
from experiments.evaluation.levels import LevelReport, level_report
from experiments.evaluation.places import SHOWN, run_folders
from experiments.evaluation.predictions import Predictions, read_predictions
from experiments.evaluation.statistics import (
    Estimate,
    RunKey,
    estimate,
    paired_difference,
    paired_samples,
)
from experiments.runs.folder import Metrics, RunError, RunFolder


@dataclass(frozen=True)
class FinishedRun:
    """A complete run: its folder and its metrics."""

    folder: RunFolder
    metrics: Metrics

    @property
    def key(self) -> RunKey:
        """Return (fold, seed)."""
        return self.metrics["fold"], self.metrics["seed"]

    @property
    def own_fold(self) -> str:
        """Return the fold where it is a protocol with figures of its own, as of NTU RGB+D."""
        fold = self.metrics["fold"]
        return fold if isinstance(fold, str) else ""

    def check_measured(self) -> None:
        """Refuse a run whose weights came from elsewhere, and that has no figures yet.

        Raises:
            RunError: says how they are measured.
        """
        converted = self.metrics.get("converted")
        if converted and self.metrics["provenance"] == "converted":
            raise RunError(
                f"{self.folder.path}: converted from {converted['file']}, and not measured yet: "
                f"python evaluate.py run={self.folder.path} data.root=<packed data set>"
            )

    def predictions(self, rule: str) -> Predictions:
        """Read `predictions.npz`, as `read_predictions` does."""
        return read_predictions(self.folder.path / "predictions.npz", rule)


def find_runs(places: str | Sequence[str]) -> list[FinishedRun]:
    """Return the complete runs in one or several places, or anywhere below, by fold and seed.

    Args:
        places: folders or patterns, as `run_folders` takes them.

    Raises:
        RunError: if a place holds no complete run, a run is there twice, or the runs differ in
            more than fold and seed.
    """
    runs = [FinishedRun(folder, folder.metrics()) for folder in run_folders(places)]
    runs.sort(key=lambda run: (str(run.key[0]), run.key[1]))
    _check_alike(runs)
    return runs


def _check_alike(runs: Sequence[FinishedRun]) -> None:
    by_folder = sorted(runs, key=lambda run: run.folder.path, reverse=True)
    kinds = {(run.metrics["task"], run.metrics["hash"]): run for run in by_folder}
    if len(kinds) > 1:
        every = [f"{one.folder.path} is {describe(one)}" for one in reversed(kinds.values())]
        raise RunError(
            "expected runs that differ in fold and seed alone, found "
            f"{len(kinds)} experiments: {'; '.join(every[:SHOWN])}"
            f"{f'; and {len(every) - SHOWN} more' if every[SHOWN:] else ''}; "
            "name one of them, or compare two with against="
        )
    for before, run in pairwise(runs):
        if before.key == run.key:
            raise RunError(
                f"expected one run for each fold and seed, found two for fold {run.key[0]} seed "
                f"{run.key[1]}: {before.folder.path} and {run.folder.path}"
            )


def describe(run: FinishedRun) -> str:
    """Return what a run is of, without fold and seed."""
    m = run.metrics
    return f"{m['task']} {m['fusion']} ({'+'.join(m['modalities'])}), {m['hash']}"


class Evaluation:
    """One or several runs of an experiment under one reporting rule.

    Args:
        runs: as `find_runs` returns them.
        rule: the reporting rule; by default the runs' headline.

    Raises:
        RunError: if the runs have no such rule, or predictions and metrics do not fit each other.
    """

    def __init__(self, runs: Sequence[FinishedRun], rule: str | None = None) -> None:
        self.runs = list(runs)
        for run in self.runs:
            run.check_measured()
        self.metrics = self.runs[0].metrics
        self.rules = list(self.metrics["reported"])
        self.rule: str = rule or self.metrics["headline"]
        if self.rule not in self.rules:
            raise RunError(
                f"rule={self.rule}: {self.runs[0].folder.path} reports under "
                f"{', '.join(self.rules)}; choose one of them"
            )
        if isinstance(self.metrics["reported"][self.rule]["epoch"], dict):
            raise RunError(
                f"rule={self.rule}: {self.runs[0].folder.path} takes each metric from another "
                "epoch there, and so has no predictions to look at; its figures stand beside those "
                f"of rule={self.metrics['headline']}"
            )
        self.predictions = {run.key: run.predictions(self.rule) for run in self.runs}
        self._check_predictions()

    @property
    def provenance(self) -> str:
        """Return `sample` if any run comes from sample data, else `real`."""
        found = {run.metrics["provenance"] for run in self.runs}
        return "sample" if "sample" in found else "real"

    @property
    def classifies(self) -> bool:
        """Say whether labels are class indices."""
        return all(np.issubdtype(p.labels.dtype, np.integer) for p in self.predictions.values())

    @property
    def metric_names(self) -> list[str]:
        """Return the names of the task's metrics, the main one first."""
        return list(self.metrics["reported"][self.rule]["test"])

    def values(self, metric: str, rule: str | None = None) -> dict[RunKey, float]:
        """Return each run's figure on the test split."""
        rule = rule or self.rule
        return {run.key: run.metrics["reported"][rule]["test"][metric] for run in self.runs}

    def figures(self) -> dict[str, dict[str, Estimate]]:
        """Return for each rule and metric the mean over the runs with its standard error."""
        return {
            rule: {name: estimate(self.values(name, rule)) for name in self.metric_names}
            for rule in self.rules
        }

    @cached_property
    def report(self) -> ClassReport:
        """Return the figures of each class, over the predictions of all runs together."""
        every = list(self.predictions.values())
        scores = np.concatenate([p.scores for p in every])
        labels = np.concatenate([p.labels for p in every])
        names = self.metrics.get("classes") or ()
        if len(names) != scores.shape[1]:
            names = [str(index) for index in range(scores.shape[1])]
        return class_report(scores, labels, names)

    @cached_property
    def levels(self) -> LevelReport:
        """Return the figures of each rounded label, over the predictions of all runs together."""
        every = list(self.predictions.values())
        scores = np.concatenate([p.scores[:, 0] for p in every])
        labels = np.concatenate([p.labels for p in every])
        seeds = len(every) // len({run.key[0] for run in self.runs})
        return level_report(scores, labels, repeats=seeds)

    @property
    def sample_metric(self) -> str:
        """Return the name of the figure that a single sample has."""
        return "accuracy" if self.classifies else "mae"

    def by_sample(self) -> dict[str, float]:
        """Return each test sample's figure, the mean over its runs.

        The per cent of the runs that classify it right, or their absolute error.
        """
        found: dict[str, list[float]] = {}
        for p in self.predictions.values():
            for name, value in zip(p.ids, self._of_samples(p), strict=True):
                found.setdefault(str(name), []).append(float(value))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _of_samples(self, p: Predictions) -> np.ndarray:
        if self.classifies:
            return 100.0 * (p.scores.argmax(1) == p.labels)
        return np.abs(p.scores[:, 0].astype(np.float64) - p.labels)

    def _check_predictions(self) -> None:
        for run in self.runs:
            found = float(self._of_samples(self.predictions[run.key]).mean())
            written = run.metrics["reported"][self.rule]["test"][self.sample_metric]
            if abs(found - written) > 1e-3:
                raise RunError(
                    f"{run.folder.path}: metrics.json says {self.sample_metric} {written:.3f} "
                    f"under {self.rule}, predictions.npz gives {found:.3f}: they are not of one "
                    "run; train it again with rerun=true"
                )


@dataclass(frozen=True)
class Difference:
    """What separates two sets of runs, paired by fold and seed: for each metric, and by sample."""

    metrics: dict[str, Estimate]
    samples: Estimate


def compare(first: Evaluation, second: Evaluation) -> Difference:
    """Return first minus second, paired over the same folds, seeds and samples.

    Raises:
        ValueError: if a fold and seed is in one set only, or tasks or test samples differ.
    """
    if first.metrics["task"] != second.metrics["task"]:
        raise RunError(
            f"expected runs of one task on both sides, found {describe(first.runs[0])} and "
            f"{describe(second.runs[0])}"
        )
    metrics = {
        name: paired_difference(first.values(name), second.values(name))
        for name in first.metric_names
    }
    check_same_samples(first, second)
    return Difference(metrics, paired_samples(first.by_sample(), second.by_sample()))


def check_same_samples(first: Evaluation, second: Evaluation) -> None:
    """Refuse sets of runs that were not tested on the same samples, fold by fold.

    Raises:
        RunError: names a fold and seed whose samples differ in number, id, order or label.
    """
    for key, mine in first.predictions.items():
        theirs = second.predictions.get(key, mine)
        if not np.array_equal(mine.ids, theirs.ids) or not np.array_equal(
            mine.labels, theirs.labels
        ):
            raise RunError(
                f"fold {key[0]} seed {key[1]}: expected the same test samples on both sides, found "
                f"{len(mine.ids)} and {len(theirs.ids)} that differ in id, order or label: the "
                "runs come from different data sets"
            )


def common_folder(runs: Iterable[FinishedRun]) -> Path:
    """Return the innermost folder that holds all runs."""
    paths = [run.folder.path.resolve() for run in runs]
    found = paths[0]
    while not all(path.is_relative_to(found) for path in paths):
        found = found.parent
    here = Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found
