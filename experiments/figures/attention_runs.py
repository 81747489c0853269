"""From the runs that a user names to their attention, and to means over folds and seeds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import track

from experiments.console import console, explain
from experiments.evaluation.attention import (
    Measured,
    ModuleAttention,
    attention_modules,
    check_scores,
    measure,
)
from experiments.evaluation.experiments import find_experiments
from experiments.evaluation.finished import Evaluation, FinishedRun, describe
from experiments.evaluation.reopen import reopen, running
from experiments.evaluation.statistics import RunKey, estimate
from experiments.evaluation.terminal import evaluation_title
from experiments.figures.omissions import omit
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class MeasuredRuns:
    """The runs of one experiment under one rule, and what each one's modules attend to.

    Args:
        evaluation: of the runs that could be measured.
        by_run: by fold and seed.
    """

    evaluation: Evaluation
    by_run: dict[RunKey, Measured]

    @property
    def modules(self) -> tuple[ModuleAttention, ...]:
        """Return the modules of one of the runs: names and blocks are the same in all."""
        return next(iter(self.by_run.values())).modules

    @property
    def title(self) -> str:
        """Say of which runs something is shown, and under which rule."""
        count = f"{len(self.by_run)} run{'s' if len(self.by_run) > 1 else ''}"
        return f"{evaluation_title(self.evaluation)}\n{self.evaluation.rule}, test split, {count}"

    @property
    def title_of_means(self) -> str:
        """Say besides what a mean is over, and its standard error."""
        segments = {module.blocks.shape[1] for module in self.modules} - {1}
        within = f", mean over {' or '.join(map(str, segments))} segments" if segments else ""
        return f"{self.title}{within}; {self.error}"

    @property
    def error(self) -> str:
        """Say what the standard error of a mean is taken over."""
        return f"standard error: {estimate(dict.fromkeys(self.by_run, 0.0)).covers()}"

    @property
    def described(self) -> dict[str, str]:
        """Return what every row of numbers says of the runs."""
        m = self.evaluation.metrics
        return {
            "task": m["task"],
            "fusion": m["fusion"],
            "hash": m["hash"],
            "rule": self.evaluation.rule,
            "provenance": self.evaluation.provenance,
        }

    def mean(self, values: Iterable[float | None]) -> dict[str, Any]:
        """Return the mean over the runs that have a value, and its standard error.

        Args:
            values: of each run, in the order of `by_run`.

        Returns:
            `mean`, `error` (None for a single run), `units`, `unit`, `runs`.
        """
        pairs = zip(self.by_run, values, strict=True)
        e = estimate({key: value for key, value in pairs if value is not None})
        error = None if np.isnan(e.error) else e.error
        return {"mean": e.mean, "error": error, "units": e.units, "unit": e.unit, "runs": e.runs}

    def group_names(self) -> dict[int, str]:
        """Return the classes, or the rounded labels of a regression, that any sample has."""
        there = np.unique(np.concatenate([self.groups(m) for m in self.by_run.values()]))
        names = self.evaluation.metrics.get("classes") if self.evaluation.classifies else None
        return {int(k): names[k] if names else str(k) for k in there}

    def groups(self, measured: Measured) -> np.ndarray:
        """Return each sample's class, or its rounded label (halves to the even one), `(N,)`."""
        if self.evaluation.classifies:
            return measured.labels
        return np.clip(np.rint(measured.labels), -3, 3).astype(int)


class NoAttentionError(RunError):
    """A run whose network has no MSAF module."""


def measure_runs(
    run: str | Sequence[str],
    rule: str | None = None,
    *,
    trust: bool = False,
    console: Console = console,
) -> MeasuredRuns:
    """Measure all complete runs of one experiment.

    Incomplete runs, and those that cannot be opened again, are left out, and a line names each.

    Args:
        run: folders or patterns.
        rule: the reporting rule whose weights attend; by default the runs' headline.
        trust: as for `reopen`.
        console: where progress and omissions go.

    Raises:
        RunError: if the runs are of several experiments, have no MSAF module, or none can be
            opened.
    """
    experiments, left_out = find_experiments(run)
    for reason in left_out:
        omit(reason, console)
    if len(experiments) > 1:
        labels = ", ".join(experiment.label for experiment in experiments)
        raise RunError(
            f"expected runs that differ in fold and seed alone, found {len(experiments)} "
            f"experiments: {labels}; name the folder of one of them"
        )
    evaluation = Evaluation(experiments[0].runs, rule)
    estimate(evaluation.values(evaluation.metric_names[0]))  # refuses folds that have no mean
    found: dict[RunKey, Measured] = {}
    for one in _shown(evaluation.runs, console):
        try:
            found[one.key] = _measured(one, evaluation, trust)
        except NoAttentionError:
            raise
        except (ValueError, OSError) as error:
            omit(str(error), console)
        except (OmegaConfBaseException, HydraException) as error:
            file = one.folder.path / "config.yaml"
            omit(f"{file}: expected the run's configuration: {explain(error)}", console)
    if not found:
        raise RunError(
            f"none of the {len(evaluation.runs)} complete runs could be opened again, for the "
            f"reasons above; the first is {evaluation.runs[0].folder.path}"
        )
    kept = [one for one in evaluation.runs if one.key in found]
    return MeasuredRuns(Evaluation(kept, evaluation.rule), found)


def _measured(run: FinishedRun, evaluation: Evaluation, trust: bool) -> Measured:
    reopened = reopen(run, evaluation.rule, trust=trust)
    if not attention_modules(reopened.network, reopened.cfg):
        raise NoAttentionError(
            f"{run.folder.path} is {describe(run)}, a network without an MSAF module, so there is "
            "no attention to show: name runs of fusion=msaf"
        )
    with running(run):
        measured = measure(reopened)
    check_scores(measured, run, evaluation.rule)
    return measured


def _shown(runs: Sequence[FinishedRun], console: Console) -> Iterator[FinishedRun]:
    """Give each run, and show how many are done: a bar, or a line where there is no terminal."""
    if console.is_terminal:
        yield from track(runs, "measuring runs", console=console, transient=True)
        return
    for number, run in enumerate(runs):
        if number and number % 10 == 0:
            console.print(f"{number} of {len(runs)} runs measured")
        yield run
