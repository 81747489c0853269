"""From complete runs to a filled table: figures, errors, and paired differences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.evaluation.statistics import Estimate, Fold, RunKey, estimate, paired_difference
from experiments.runs.folder import Metrics, RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.tables.table import Row, Table

if TYPE_CHECKING:  # for its name alone: a plan makes runs, which takes torch and Lightning
    from experiments.tables.plan import Plan

NONE = Overrides()

# Overrides that say where things are on this machine: no part of what a table stands on.
ELSEWHERE = ("results", "progress", "logger", "rerun", "data.root", "data.raw", "datamodule.root")


@dataclass(frozen=True)
class Measured:
    """What one run gave; means and errors of a line can be worked out again from these.

    Args:
        fold: of the run.
        seed: of the run.
        hash: of its settings and data.
        sources: of the code that made it.
        figures: by reporting rule and metric, on the test data.
        commit: that made it; empty where only the table says so, of all its runs.
        recorded: the table that its figures were taken from, if they were.
    """

    fold: Fold
    seed: int
    hash: str
    sources: str
    figures: dict[str, dict[str, float]]
    commit: str = ""
    recorded: str = ""

    @classmethod
    def of(cls, metrics: Metrics) -> "Measured":
        """Take them from a run's metrics."""
        figures = {rule: dict(found["test"]) for rule, found in metrics["reported"].items()}
        sources, commit = metrics.get("sources", "unknown"), metrics.get("commit") or "unknown"
        return cls(
            metrics["fold"], metrics["seed"], metrics["hash"], sources, figures, commit,
            metrics.get("recorded", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One row, filled: what the paper has and what our runs gave.

    Args:
        row: from the table's yaml.
        runs: complete runs.
        wanted: runs that the row has.
        figures: by reporting rule and metric, over the folds and seeds.
        differences: by reporting rule, of the first metric, to the row's reference; paired.
        parameters: of the network that ran.
        paper_parameters: of the same network at the paper's size, with all heads counted.
        measured: what each complete run gave.
    """

    row: Row
    runs: int
    wanted: int
    figures: dict[str, dict[str, Estimate]]
    differences: dict[str, Estimate]
    parameters: int | None
    paper_parameters: int | None
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class Filled:
    """A filled table, and what it stands on.

    Args:
        table: its rows.
        rules: the reporting rules of its runs.
        lines: the rows, filled.
        provenance: data, versions, hashes, sources and overrides.
        reporting: how each rule chooses, as the runs were configured.
    """

    table: Table
    rules: tuple[str, ...]
    lines: tuple[Line, ...]
    provenance: dict[str, Any]
    reporting: dict[str, Any] = field(default_factory=dict)

    @property
    def sample(self) -> bool:
        """Say whether any figure comes from rendered data."""
        return "sample" in self.provenance["data"]

    @property
    def papers(self) -> tuple[str, ...]:
        """Return the metrics with figures of the paper, where our input is the paper's.

        Beside rendered data or other modalities its figures would invite a comparison that means
        nothing.
        """
        changed = any(text.startswith("modalities=") for text in self.provenance["overrides"])
        if self.sample or changed:
            return ()
        known = {metric for row in self.table.rows for metric in row.paper}
        return tuple(metric for metric in self.table.metrics if metric in known)


def unreadable(todo: "Plan") -> dict[RunFolder, str]:
    """Return why the metrics of a complete run cannot be read, for each such run."""
    reasons: dict[RunFolder, str] = {}
    for folder in todo.folders:
        try:
            if folder.complete:
                folder.metrics()
        except RunError as error:
            reasons[folder] = str(error)
    return reasons


def fill(
    table: Table,
    todo: "Plan",
    paper_sizes: dict[str, int],
    overrides: Overrides = NONE,
    left_out: Collection[RunFolder] = (),
) -> Filled:
    """Collect the figures of all complete runs of a table.

    Args:
        table: its rows.
        todo: where the runs of each row are.
        paper_sizes: parameters of each row's network at the paper's size.
        overrides: the user's own.
        left_out: complete runs that do not count, because they are `unreadable`.

    Raises:
        RunError: if the runs do not report a metric of the table.
    """
    runs = {row.name: _read(todo.rows.get(row.name, []), left_out) for row in table.rows}
    every = [metrics for row in runs.values() for metrics in row.values()]
    rules = tuple(dict.fromkeys(rule for metrics in every for rule in metrics["reported"]))
    lines = []
    for row in table.rows:
        compared = table.reference_of(row)
        own, reference = runs[row.name], runs.get(compared, {})
        figures = {
            rule: {m: estimate(_values(own, rule, m)) for m in table.metrics}
            for rule in rules
            if own
        }
        pairs = own.keys() & reference.keys()
        differences = {
            rule: paired_difference(
                _values({key: own[key] for key in pairs}, rule, table.metrics[0]),
                _values({key: reference[key] for key in pairs}, rule, table.metrics[0]),
            )
            for rule in rules
            if pairs and row.name != compared
        }
        sizes = {metrics["parameters"]["total"] for metrics in own.values()}
        size = sizes.pop() if len(sizes) == 1 else None
        wanted = len(todo.rows.get(row.name, ()))
        if row.name in todo.refused:
            wanted = len(table.folds) * len(table.seeds)
        paper_size = paper_sizes.get(row.name)
        measured = tuple(Measured.of(metrics) for metrics in own.values())
        lines.append(Line(row, len(own), wanted, figures, differences, size, paper_size, measured))
    counted = (f for f in todo.folders if f.complete and f not in left_out)
    reporting = next((folder.reporting() for folder in counted), {})
    return Filled(table, rules, tuple(lines), _provenance(every, overrides), reporting)


def _read(folders: Sequence[RunFolder], left_out: Collection[RunFolder]) -> dict[RunKey, Metrics]:
    complete = [f.metrics() for f in folders if f.complete and f not in left_out]
    return {(metrics["fold"], metrics["seed"]): metrics for metrics in complete}


def _values(runs: Mapping[RunKey, Metrics], rule: str, metric: str) -> dict[RunKey, float]:
    for run in runs.values():
        known = run["reported"][rule]["test"]
        if metric not in known:
            raise RunError(f"metrics: {metric}: the runs report {', '.join(known)}")
    return {key: run["reported"][rule]["test"][metric] for key, run in runs.items()}


def _provenance(runs: Sequence[Metrics], overrides: Overrides) -> dict[str, Any]:
    return {
        "overrides": list(overrides.without(*ELSEWHERE)),
        "data": sorted({run["provenance"] for run in runs}),
        "manifests": sorted({run["manifest"] for run in runs}),
        "starts": sorted({run["starts_from"] for run in runs if run.get("starts_from")}),
        "protocols": sorted({run["protocol"] for run in runs}),
        "hashes": sorted({run["hash"] for run in runs}),
        "sources": sorted({run.get("sources", "unknown") for run in runs}),
        "commits": sorted({run.get("commit") or "unknown" for run in runs}),
        "versions": _versions(runs),
    }


def _versions(runs: Sequence[Metrics]) -> dict[str, str]:
    """Return the version of each library; several where the runs differ."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, version in (run.get("versions") or {}).items():
            found.setdefault(name, {})[version] = None
    return {name: ", ".join(versions) for name, versions in found.items()}
