"""Runs that a written table has the figures of, where their folders are no longer at hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.runs.errors import RunError
from experiments.runs.folder import Metrics, RunFolder
from experiments.tables.fill import Filled, Line, Measured
from experiments.tables.plan import Plan
from experiments.tables.read import read_tables

Key = tuple[str, str, str]  # hash, fold and seed, as the folder's path has them


@dataclass(frozen=True)
class RecordedRun(RunFolder):
    """A complete run of which there are the figures, and no weights.

    Args:
        path: where its folder would be.
        figures: as its `metrics.json` had them, so far as a table keeps them.
        rules: how each reporting rule was configured.
    """

    figures: Metrics = field(default_factory=dict, compare=False)
    rules: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def complete(self) -> bool:
        return True

    def metrics(self) -> Metrics:
        """Return what the table keeps of the run's metrics."""
        return self.figures

    def reporting(self) -> dict[str, Any]:
        """Return how each reporting rule was configured."""
        return dict(self.rules)


def read_recorded(files: Iterable[Path]) -> dict[Key, RecordedRun]:
    """Return the runs that tables have the figures of.

    Args:
        files: `table<name>.json`; of a run that several have, the last one's figures are taken.

    Raises:
        RunError: if a file is no such table, or does not tell which data its runs are of.
    """
    found: dict[Key, RecordedRun] = {}
    for file in files:
        for filled in read_tables(file):
            common = _common(file, filled)
            for line in filled.lines:
                for one in line.measured:
                    path = Path(one.hash, f"fold{one.fold}", f"seed{one.seed}")
                    figures = _metrics(line, one, common)
                    found[_key(path)] = RecordedRun(path, figures, filled.reporting)
    return found


def with_recorded(todo: Plan, recorded: Mapping[Key, RecordedRun]) -> Plan:
    """Return the plan in which recorded runs count as complete.

    A run whose folder is here counts as it is. One that others start from is made if any of these
    has to be made, as a record holds no weights. `rerun=true` makes those again that other sources
    made.

    Args:
        todo: what a table needs.
        recorded: from `read_recorded`.
    """
    known = {
        folder: replace(recorded[_key(folder.path)], path=folder.path)
        for folder in todo.folders
        if not folder.complete and _key(folder.path) in recorded
    }
    known = {folder: run for folder, run in known.items() if not todo.lacks(run)}
    lacking = [job for f, job in todo.jobs.items() if f not in known and todo.lacks(f)]
    needed = {source.folder for job in lacking for source in job.sources}
    known = {folder: run for folder, run in known.items() if folder not in needed}
    return replace(
        todo,
        rows={name: [known.get(f, f) for f in folders] for name, folders in todo.rows.items()},
        stages=tuple({known.get(f, f): job for f, job in stage.items()} for stage in todo.stages),
    )


def _common(file: Path, filled: Filled) -> Metrics:
    """Return what a table says of all its runs together."""
    stands = filled.provenance
    commits = stands.get("commits", [])
    return {
        "provenance": _single(file, "data", stands["data"]),
        "manifest": _single(file, "manifests", stands["manifests"]),
        "protocol": _single(file, "protocols", stands["protocols"]),
        "starts_from": _single(file, "starts", stands["starts"]),
        "commit": commits[0] if len(commits) == 1 else None,
        "versions": stands.get("versions", {}),
        "recorded": file.name,
    }


def _single(file: Path, name: str, values: Sequence[Any]) -> Any:
    """Return what all runs of a table have in common; nothing if the table has no run."""
    if len(values) > 1:
        raise RunError(
            f"{file}: expected runs of the same {name}, found {', '.join(map(str, values))}, and "
            "it does not say which run is of which; leave it out of recorded="
        )
    return values[0] if values else None


def _metrics(line: Line, one: Measured, common: Metrics) -> Metrics:
    return common | {
        "fold": one.fold,
        "seed": one.seed,
        "hash": one.hash,
        "sources": one.sources,
        "commit": one.commit or common["commit"],
        "reported": {rule: {"test": found} for rule, found in one.figures.items()},
        "parameters": {"total": line.parameters},
        "paper_size_parameters": {"with_heads": line.paper_parameters},
    }


def _key(path: Path) -> Key:
    """Return a run's hash, fold and seed from its folder's path."""
    return path.parents[1].name.rpartition("-")[2], path.parent.name, path.name
