"""The runs that a table or a sweep needs: which, where, and in which order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from experiments.console import console, explain
from experiments.evaluation.statistics import Fold
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.table import Table

MakeRun = Callable[[Overrides], Run]


@dataclass(frozen=True)
class Job:
    """A run to do: its overrides, its folder, and the jobs whose weights it starts from."""

    overrides: Overrides
    folder: RunFolder
    sources: tuple["Job", ...]

    @classmethod
    def of(cls, run: Run) -> "Job":
        """Return the job that a run is."""
        return cls(run.overrides, run.folder, tuple(map(cls.of, run.sources.values())))

    def elsewhere(self, fold: Fold, seed: int) -> "Job":
        """Return the same settings on another fold and seed."""
        place = self.folder.path.parents[1] / f"fold{fold}" / f"seed{seed}"
        sources = tuple(source.elsewhere(fold, seed) for source in self.sources)
        return Job(self.overrides.setting(fold=fold, seed=seed), RunFolder(place), sources)


@dataclass(frozen=True)
class Plan:
    """The runs that a table needs, in the order in which they can be done.

    Args:
        rows: for each row's name its run folders, one for each seed and fold.
        stages: jobs by run folder: first the runs that others start from, then the rest.
        refused: for a row's name why its overrides make no run.
        rerun: make complete runs again where other sources made them.
    """

    rows: Mapping[str, list[RunFolder]]
    stages: tuple[Mapping[RunFolder, Job], ...]
    refused: Mapping[str, str]
    rerun: bool = False

    @classmethod
    def of(
        cls,
        rows: Mapping[str, list[Job]],
        ordered: Iterable[Job],
        refused: Mapping[str, str],
        *,
        rerun: bool,
    ) -> "Plan":
        """Return the plan of rows whose jobs are to be done in an order.

        Runs that are the same under other overrides have the same folder, and are planned once.

        Raises:
            RunError: if no row at all can be run; the reason is the first row's.
        """
        if refused and not any(rows.values()):
            raise RunError(next(iter(refused.values())))
        jobs = list(ordered)
        first = {source.folder: source for job in jobs for source in job.sources}
        then = {job.folder: job for job in jobs if job.folder not in first}
        folders = {name: [job.folder for job in row] for name, row in rows.items()}
        return cls(folders, (first, then), refused, rerun)

    @property
    def jobs(self) -> dict[RunFolder, Job]:
        """Return every job by its run folder, in order."""
        return {folder: job for stage in self.stages for folder, job in stage.items()}

    @property
    def folders(self) -> list[RunFolder]:
        """Return every run's folder, in order."""
        return list(self.jobs)

    def lacks(self, folder: RunFolder) -> bool:
        """Say whether a run still has to be done."""
        return not folder.complete or (self.rerun and folder.outdated)

    @property
    def done(self) -> int:
        """Return how many runs need not be done any more."""
        return sum(not self.lacks(folder) for folder in self.folders)


def plan(table: Table, overrides: Overrides) -> Plan:
    """Find out which runs a table needs, and where they live.

    Seeds are outermost, so that the first seed of every row is there before the second of any.

    Args:
        table: what to fill.
        overrides: the user's own, added to every row.

    Raises:
        RunError: if no row at all can be run; the reason is the first row's.
    """
    make_run = run_maker()
    rows: dict[str, list[Job]] = {}
    runs: list[Run] = []
    refused: dict[str, str] = {}
    for row in table.rows:
        if not row.overrides:  # only quoted
            rows[row.name] = []
            continue
        try:
            every = list(table.jobs(row, overrides))
            run = make_run(every[0])
            run.refuse_idle(Overrides(row.overrides).keys)
            rows[row.name] = jobs_of(run, every, make_run)
            runs.append(run)
        except (RunError, HydraException, OmegaConfBaseException) as error:
            refused[row.name] = explain(error)
    refuse_idle(runs, overrides)
    size = len(table.folds)
    ordered = (
        job
        for start in range(0, len(table.seeds) * size, size)
        for jobs in rows.values()
        for job in jobs[start : start + size]
    )
    return Plan.of(rows, ordered, refused, rerun=overrides.value("rerun", False) is True)


def run_maker() -> MakeRun:
    """Return what makes runs that share the machine, and the unimodal runs that they start from."""
    shared: dict[Overrides, Run] = {}

    def make_run(overrides: Overrides) -> Run:
        run = Run(overrides, console, shared)
        if "ddp" in str(run.cfg.trainer.get("strategy", "")):
            raise RunError(
                "trainer=ddp: the runs of a table or a sweep share the machine among themselves, "
                "one GPU each; leave it out, or train one run by itself with train.py"
            )
        return run

    return make_run


def refuse_idle(runs: Sequence[Run], common: Overrides) -> None:
    """Refuse an override that all rows have in common and on which none depends.

    One for which some rows have no use is fine: `points=[late]` says nothing to a row without a
    module. A row that does not know its key at all is refused by itself.

    Args:
        runs: one of each row.
        common: the overrides.

    Raises:
        RunError: names the override.
    """
    for key, text in zip(common.keys, common, strict=True):
        if runs and all(run.idle([key]) for run in runs):
            raise RunError(f"{text}: no row depends on it; leave it out")


def jobs_of(run: Run, every: Sequence[Overrides], make_run: MakeRun) -> list[Job]:
    """Return the jobs of runs that differ in fold and seed alone.

    One composition and one run do for all of them, unless a setting is made of fold or seed: then
    each run is made by itself.

    Args:
        run: the first one.
        every: the overrides of each.
        make_run: makes a `Run`.
    """
    start = Job.of(run)
    if len(every) == 1:
        return [start]
    if not run.stands_for(every):
        return [start, *(Job.of(make_run(overrides)) for overrides in every[1:])]
    fold, seed = run.cfg.fold, run.cfg.seed
    return [start.elsewhere(o.value("fold", fold), o.value("seed", seed)) for o in every]
