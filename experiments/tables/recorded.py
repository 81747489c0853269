"""Runs that a written table has the figures of, where their folders are no longer at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
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


Record = dict[Key, tuple[Metrics, Mapping[str, Any]]]
"""By run its figures, and how its reporting rules were configured."""


def with_recorded(plans: Sequence[Plan], files: Sequence[Path]) -> list[Plan]:
    """Return the plans in which recorded runs count as complete, whether they are here or not.

    A run that others start from is made if any of these has to be made, as a record holds no
    weights; its own row keeps the recorded figures. `rerun=true` makes recorded runs again that
    other sources made.

    Args:
        plans: what the parts of a table need.
        files: `table<name>.json`; of a run that several have, the first one's figures are taken.

    Raises:
        RunError: if a file is no such table, has no run of these, or does not tell which data its
            runs are of.
    """
    wanted = {_key(folder) for todo in plans for folder in todo.folders}
    found: Record = {}
    for file in files:
        record = read_record(file)
        if not wanted & record.keys():
            raise RunError(
                f"{file}: expected runs of this table, found none of them among its {len(record)} "
                "runs: check data=, data.root= and the other overrides, or leave it out of "
                "recorded="
            )
        found = {**record, **found}
    return [_with(todo, found) for todo in plans] if files else list(plans)


def _with(todo: Plan, record: Record) -> Plan:
    known = {
        folder: RecordedRun(folder.path, *record[_key(folder)])
        for folder in todo.folders
        if _key(folder) in record
    }
    known = {folder: run for folder, run in known.items() if not todo.lacks(run)}
    lacking = [job for f, job in todo.jobs.items() if f not in known and todo.lacks(f)]
    needed = {source.folder for job in lacking for source in job.sources}
    own = {folder for row in todo.rows.values() for folder in row}
    idle = {source.folder for f in known for source in todo.jobs[f].sources} - needed - own
    return replace(
        todo,
        rows={name: [known.get(f, f) for f in folders] for name, folders in todo.rows.items()},
        stages=tuple(
            {f if f in needed else known.get(f, f): j for f, j in stage.items() if f not in idle}
            for stage in todo.stages
        ),
    )


def read_record(file: Path) -> Record:
    """Return the runs that a table has the figures of.

    Raises:
        RunError: if the file is no table, or does not tell which data its runs are of.
    """
    parts = read_tables(file)
    mark = f"{file.name} (sha256 {sha256(file.read_bytes()).hexdigest()[:12]})"
    found: Record = {}
    for filled in parts:
        common = _common(file, filled) | {"recorded": mark}
        for line in filled.lines:
            for one in line.measured:
                key = one.hash, f"fold{one.fold}", f"seed{one.seed}"
                found[key] = _metrics(line, one, common), filled.reporting
    return found


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
    }


def _single(file: Path, name: str, values: Sequence[Any]) -> Any:
    """Return what all runs of a table have in common; nothing if none of them has it."""
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
        "recorded": one.recorded or common["recorded"],
        "reported": {rule: {"test": found} for rule, found in one.figures.items()},
        "parameters": {"total": line.parameters},
        "paper_size_parameters": {"with_heads": line.paper_parameters},
    }


def _key(folder: RunFolder) -> Key:
    path = folder.path
    return path.parents[1].name.rpartition("-")[2], path.parent.name, path.name
