"""Which runs count, and why the others do not: nothing is averaged that contradicts itself."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.evaluation.finished import Evaluation, FinishedRun
from experiments.runs.folder import Metrics, RunError, RunFolder

ALIKE = ("data", "fusion", "modalities", "protocol", "provenance", "headline", "classes")
HASH = re.compile(r"-([0-9a-f]{8})$")  # at the end of a variant's name

HALF_WRITTEN = "half-written: no metrics.json yet; its train command goes on where it stopped"

Reasons = dict[Path, str]
"""Why a run is left out, by its folder."""


def read_run(folder: Path) -> FinishedRun:
    """Read a complete run, its predictions included, which have to fit its metrics.

    Raises:
        RunError: if anything in it is not as `train.py` writes it.
    """
    run = FinishedRun(RunFolder(folder), RunFolder(folder).metrics())
    run.check_measured()
    Evaluation([run])
    return run


def sifted(folders: Iterable[Path]) -> tuple[list[list[FinishedRun]], Reasons]:
    """Read complete runs, and return experiments and the runs that do not count.

    Args:
        folders: of complete runs.
    """
    runs, out = [], Reasons()
    for folder in folders:
        try:
            runs.append(read_run(folder))
        except RunError as error:
            out[folder] = str(error)
    experiments, contradictory = sift(runs)
    return experiments, out | contradictory


def sift(runs: Sequence[FinishedRun]) -> tuple[list[list[FinishedRun]], Reasons]:
    """Return experiments, runs that differ in fold and seed alone, and the runs that are none.

    A fold that is a protocol (NTU's, and UTD-MHAD's `cs`) is an experiment of its own.

    Args:
        runs: as `read_run` returns them.
    """
    out = _misplaced(runs)
    for check in (_twice, _same_cell, _unlike):
        out |= check([run for run in runs if run.folder.path not in out])
    counted = [run for run in runs if run.folder.path not in out]
    groups = _grouped(counted, lambda run: (*_experiment(run), run.own_fold))
    for group in groups:
        group.sort(key=lambda run: (str(run.key[0]), run.key[1]))
    return sorted(groups, key=_order), out


def _misplaced(runs: Iterable[FinishedRun]) -> Reasons:
    """Find runs whose folder says something else than their metrics."""
    out: Reasons = {}
    for run in runs:
        variant, fold, seed = _place(run)
        said = HASH.search(variant)
        for name, found, written in (
            ("hash", said and said[1], run.metrics["hash"]),
            ("fold", fold.startswith("fold") and fold[4:], str(run.key[0])),
            ("seed", seed.startswith("seed") and seed[4:], str(run.key[1])),
        ):
            if found and found != written:
                out[run.folder.path] = (
                    f"contradicts itself: its folder says {name} {found}, its metrics.json "
                    f"{name} {written}"
                )
    return out


def _twice(runs: Sequence[FinishedRun]) -> Reasons:
    """Find runs of the same settings, fold and seed; which one counts cannot be told."""
    out: Reasons = {}
    for same in _grouped(runs, lambda run: (*_experiment(run), *run.key)):
        for run in same if len(same) > 1 else ():
            others = ", ".join(str(o.folder.path) for o in same if o is not run)
            out[run.folder.path] = (
                f"is there twice: {others} has the same hash, fold and seed; move one away"
            )
    return out


def _same_cell(runs: Sequence[FinishedRun]) -> Reasons:
    """Find runs that claim the same cell of a table on other data.

    A folder's name leaves settings out, so that two names may be the same on the same data.
    """
    named = [run for run in runs if HASH.search(_place(run)[0])]
    out: Reasons = {}
    for same in _grouped(named, _cell):
        for run in same if len({run.metrics["manifest"] for run in same}) > 1 else ():
            others = ", ".join(str(o.folder.path) for o in same if o is not run)
            out[run.folder.path] = (
                f"contradicts {others}: the same settings by name, fold and seed, but other data; "
                "move away the one that is not meant"
            )
    return out


def _unlike(runs: Sequence[FinishedRun]) -> Reasons:
    """Find experiments whose runs say different things of what they have in common."""
    out: Reasons = {}
    for group in _grouped(runs, _experiment):
        described = [_description(run.metrics) for run in group]
        for key in described[0]:
            if any(other[key] != described[0][key] for other in described):
                for run in group:
                    out[run.folder.path] = (
                        f"contradicts runs of the same hash {run.metrics['hash']}: they differ in "
                        f"{key}, and should differ in fold and seed alone"
                    )
    return out


def _description(metrics: Metrics) -> dict[str, Any]:
    rules = {rule: list(found["test"]) for rule, found in metrics["reported"].items()}
    return {key: metrics.get(key) for key in ALIKE} | {"rules and metrics": rules}


def _experiment(run: FinishedRun) -> tuple[str, str]:
    return run.metrics["task"], run.metrics["hash"]


def _cell(run: FinishedRun) -> tuple[Hashable, ...]:
    m = run.metrics
    return m["task"], m["data"], m["fusion"], HASH.sub("", _place(run)[0]), *run.key


def _place(run: FinishedRun) -> tuple[str, str, str]:
    """Return the last three folders' names: variant, fold and seed."""
    variant, fold, seed = ("", "", "", *run.folder.path.absolute().parts)[-3:]
    return variant, fold, seed


def _order(group: Sequence[FinishedRun]) -> tuple[Any, ...]:
    m = group[0].metrics
    many = len(m["modalities"]) > 1
    return m["task"], m["provenance"], many, m["fusion"], m["modalities"], m["hash"], str(m["fold"])


def _grouped(runs: Iterable[FinishedRun], key: Any) -> list[list[FinishedRun]]:
    found: dict[Hashable, list[FinishedRun]] = defaultdict(list)
    for run in runs:
        found[key(run)].append(run)
    return list(found.values())
