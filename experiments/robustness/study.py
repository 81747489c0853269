"""A study of robustness: which runs, which corruptions, and where to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.errors import MissingConfigException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from experiments.evaluation.experiments import Experiment, find_experiments
from experiments.evaluation.statistics import RunKey
from experiments.files import existing_folder, usable_folder
from experiments.robustness.conditions import CLEAN, Condition, Corruptions
from experiments.robustness.measure import Measuring, Outcomes
from experiments.robustness.summary import Measured
from experiments.robustness.write import Robustness
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

KEYS = ("run", "raw", "only", "rule", "against", "out", "trust")


@dataclass(frozen=True)
class Study:
    """What a user asks of `scripts/robustness.py`.

    Args:
        task: of all experiments.
        experiments: those to look at.
        corruptions: the task's.
        only: modalities, or corruptions as `audio.noise`; all if empty.
        rule: the reporting rule whose weights are run.
        against: the label of the experiment that the others are compared with.
        raw: the raw folder, for corruptions of raw files.
        out: the folder of the results.
        trust: build whatever classes the runs' configurations name.
        left_out: runs that do not count, each with the reason.
    """

    task: str
    experiments: tuple[Experiment, ...]
    corruptions: Corruptions
    only: tuple[str, ...]
    rule: str
    against: str | None
    raw: Path | None
    out: Path
    trust: bool
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, overrides: Overrides) -> "Study":
        """Read a command line.

        Raises:
            RunError: if a value is none that a key can have, no runs are there, or they are of
                several tasks.
            HydraException: for a setting that no corruption has.
        """
        places = overrides.value("run")
        if not places:
            raise RunError("run=<run folder> is missing: which runs? (--help)")
        if "task" in overrides:
            raise RunError(
                f"{overrides.only('task')}: the runs say of which task they are; leave it out"
            )
        experiments, left_out = find_experiments(_texts(places))
        task = _one_task_and_data(experiments)
        corruptions = _corruptions(task, overrides.without(*KEYS))
        only = tuple(_texts(overrides.value("only", [])))
        raw = overrides.value("raw", None)
        out = Path(str(overrides.value("out", "results/robustness")))
        study = cls(
            task=task,
            experiments=tuple(experiments),
            corruptions=corruptions,
            only=only,
            rule=_rule(overrides.value("rule", None), experiments),
            against=_reference(overrides.value("against", None), experiments),
            raw=None if raw is None else existing_folder(Path(str(raw)), "raw"),
            out=usable_folder(out, "out") / task,
            trust=overrides.flag("trust"),
            left_out=tuple(left_out),
        )
        study._check_conditions()
        return study

    @property
    def results(self) -> Path:
        """Return the folder for tables and plots; a choice of corruptions has one of its own."""
        return self.out / "+".join(self.only) if self.only else self.out

    def _check_conditions(self) -> None:
        """Refuse, before anything is measured, what cannot be measured.

        Raises:
            RunError: if `only` names what there is not, or nothing of these runs, or raw files
                are needed and nobody says where they lie.
        """
        wanted = {c for e in self.experiments for c in self.conditions(e)} - {CLEAN}
        if not wanted:
            raise RunError(
                f"only={','.join(self.only)}: the runs have no such modality; they have "
                f"{', '.join(sorted({m for e in self.experiments for m in e.modalities}))}"
            )
        rendered = self.experiments[0].runs[0].metrics["provenance"] == "sample"
        needing = sorted(
            {f"{c.modality}.{c.corruption}" for c in wanted if self.corruptions.needs_raw(c)}
        )
        if needing and self.raw is None and not rendered:
            others = sorted({f"{c.modality}.{c.corruption}" for c in wanted} - set(needing))
            raise RunError(
                f"{', '.join(needing)}: acts on raw files; give raw=<the raw folder>, or leave it "
                f"out by only=[{','.join(others)}]"
            )

    def conditions(self, experiment: Experiment) -> list[Condition]:
        """Return the conditions of an experiment, those of its own modalities."""
        return self.corruptions.conditions(experiment.modalities, self.only)

    def measure(self, console: Console) -> Robustness:
        """Measure all runs; those that cannot be are named and left out.

        Raises:
            RunError: if no run can be measured.
        """
        measuring = Measuring(self.rule, self.corruptions, self.raw, self.out, self.trust)
        total = sum(len(e.runs) * len(self.conditions(e)) for e in self.experiments)
        left_out, every = list(self.left_out), []
        bars = Progress("predicting", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                        console=console, disable=not console.is_terminal)  # fmt: skip
        with bars:
            bar = bars.add_task("", total=total)
            for experiment in self.experiments:
                conditions = self.conditions(experiment)
                outcomes: dict[RunKey, Outcomes] = {}
                for run in experiment.runs:
                    try:
                        outcomes[run.key] = measuring.measure(
                            run, conditions, lambda: bars.advance(bar)
                        )
                    except RunError as error:
                        left_out.append(str(error))
                if outcomes:
                    every.append(Measured(experiment, tuple(conditions), outcomes))
                    console.print(
                        f"{experiment.label}: runs measured: {len(outcomes)}", markup=False
                    )
        if not every:
            raise RunError("; ".join(left_out))
        return Robustness(self.task, self.rule, every, self.against, left_out)


def _one_task_and_data(experiments: Sequence[Experiment]) -> str:
    """Return the task of all runs.

    Raises:
        RunError: if they are of several tasks, or of several data sets, which cannot be compared.
    """
    tasks = sorted({str(e.runs[0].metrics["task"]) for e in experiments})
    if len(tasks) > 1:
        raise RunError(f"run: expected runs of one task, found {', '.join(tasks)}; choose one")
    by_data = {run.metrics["manifest"]: run for e in experiments for run in e.runs}
    if len(by_data) > 1:
        listed = " and ".join(str(run.folder.path) for run in by_data.values())
        raise RunError(
            f"run: expected runs on one data set, found {len(by_data)}, such as those of {listed}; "
            "choose one"
        )
    return tasks[0]


def _corruptions(task: str, overrides: Overrides) -> Corruptions:
    try:
        return Corruptions(hydra.compose(f"robustness/{task}", list(overrides)).corruptions)
    except MissingConfigException:
        raise RunError(
            f"configs/robustness/{task}.yaml: no such file, so nothing says what may happen to "
            f"the modalities of {task}: write one, as configs/robustness/ntu.yaml is"
        ) from None


def _texts(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _rule(wanted: object, experiments: Sequence[Experiment]) -> str:
    metrics = experiments[0].runs[0].metrics
    rule = str(wanted or metrics["headline"])
    if rule not in metrics["reported"]:
        raise RunError(f"rule={rule}: the runs report under {', '.join(metrics['reported'])}")
    return rule


def _reference(wanted: object, experiments: Sequence[Experiment]) -> str | None:
    """Return the experiment that others are compared with: by default `sum`, if it is there."""
    labels = [experiment.label for experiment in experiments]
    if wanted is None:
        return "sum" if "sum" in labels else None
    if wanted not in labels:
        raise RunError(f"against={wanted}: no such experiment; there are {', '.join(labels)}")
    return str(wanted)
