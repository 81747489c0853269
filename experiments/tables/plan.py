"""The runs that a table needs: which, where, and in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.evaluation.statistics import Fold
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.table import Row, Table

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

    @property
    def folders(self) -> list[RunFolder]:
        """Return every run's folder, in order."""
        return [folder for stage in self.stages for folder in stage]

    def lacks(self, folder: RunFolder) -> bool:
        """Say whether a run still has to be done."""
        return not folder.complete or (self.rerun and folder.outdated)

    @property
    def done(self) -> int:
        """Return how many runs need not be done any more."""
        return sum(not self.lacks(folder) for folder in self.folders)


def plan(table: Table, overrides: Overrides, make_run: MakeRun) -> Plan:
    """Find out which runs a table needs, and where they live.

    Runs that are the same under other overrides have the same folder, and are planned once. Seeds
    are outermost, so that the first seed of every row is there before the second of any.

    Args:
        table: what to fill.
        overrides: the user's own, added to every row.
        make_run: makes a `Run`.

    Raises:
        RunError: if no row at all can be run; the reason is the first row's.
    """
    rows: dict[str, list[Job]] = {}
    refused: dict[str, str] = {}
    for row in table.rows:
        try:
            rows[row.name] = _jobs(table, row, overrides, make_run)
        except RunError as error:
            refused[row.name] = str(error)
    if refused and not any(rows.values()):
        raise RunError(next(iter(refused.values())))
    size = len(table.folds)
    ordered = [
        job
        for start in range(0, len(table.seeds) * size, size)
        for jobs in rows.values()
        for job in jobs[start : start + size]
    ]
    first = {source.folder: source for job in ordered for source in job.sources}
    then = {job.folder: job for job in ordered if job.folder not in first}
    folders = {name: [job.folder for job in jobs] for name, jobs in rows.items()}
    return Plan(folders, (first, then), refused, overrides.value("rerun", False) is True)


def _jobs(table: Table, row: Row, overrides: Overrides, make_run: MakeRun) -> list[Job]:
    """Return the jobs of a row.

    A run takes a tenth of a second to make. If the first and the last one, which differ in fold
    and seed, are the same but for that, so are those between, and need no making.
    """
    every = list(table.jobs(row, overrides))
    if len(every) < 3:
        return [Job.of(make_run(job)) for job in every]
    places = list(table.places)
    start, end = Job.of(make_run(every[0])), Job.of(make_run(every[-1]))
    if start.elsewhere(*places[-1]).folder == end.folder:
        return [start.elsewhere(*place) for place in places]
    return [Job.of(make_run(job)) for job in every]
