"""Tables over all experiments: what was run, which rules report, and what it all stands on."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from experiments.evaluation.statistics import Estimate
from experiments.evaluation.terminal import marked, with_error
from experiments.figures.report.collect import Found
from experiments.figures.report.experiment import Experiment, places
from experiments.figures.report.grids import count
from experiments.figures.report.views import Grid
from experiments.runs.folder import Metrics
from experiments.tables.markdown import selection


def what_was_run(experiments: Sequence[Experiment]) -> list[Grid]:
    """Return a grid for each task, kind of data and set of rules: an experiment a row."""
    return [_side_by_side(alike) for alike in _alike(experiments)]


def rules(experiments: Sequence[Experiment]) -> list[str]:
    """Say for each task what its reporting rules select."""
    found: dict[str, None] = {}
    for one in experiments:
        known = one.config.get("reporting")
        known = known if isinstance(known, dict) else {}
        told = [selection(rule, known[rule]) for rule in one.figures if rule in known]
        if told:
            headline = one.metrics["headline"]
            found[f"{one.metrics['task']}: {'; '.join(told)}. The headline is {headline}."] = None
    return list(found)


def errors(experiments: Sequence[Experiment]) -> list[str]:
    """Say what the standard errors are taken over, each way once."""
    every: list[Estimate] = [e for one in experiments for f in one.figures.values()
                             for e in f.values()]  # fmt: skip
    return sorted({e.covers() for e in every})


def deviations(experiments: Sequence[Experiment]) -> list[Grid]:
    """Return for each experiment its protocol and the switches that are not the paper's."""
    head = ["experiment", "hash", "data", "protocol", "switches", "settings"]
    rows = [
        [e.name, e.metrics["hash"], e.provenance, e.metrics["protocol"], e.switches, e.settings]
        for e in experiments
    ]
    sample = any(e.provenance == "sample" for e in experiments)
    links = [e.id for e in experiments]
    caption = "switches of docs/deviations.md that are not the paper's, and other settings"
    return [Grid(caption, head, rows, sample, links)] if rows else []


def provenance(experiments: Sequence[Experiment]) -> list[Grid]:
    """Return which data and which code and machines the runs stand on, with the runs of each."""
    every = [run.metrics for one in experiments for run in one.runs]
    sample = any(m["provenance"] == "sample" for m in every)
    data = Counter((m["task"], m["data"], m["provenance"], m["manifest"]) for m in every)
    made = Counter(map(_environment, every))
    head = ["sources", "commit", "device", "threads", "versions"]
    found = [
        Grid("data", ["task", "data", "provenance", "manifest", "runs"], _counted(data), sample),
        Grid("code and machines", [*head, "runs"], _counted(made), sample),
    ]
    return found if every else []


def left_out(found: Found) -> list[Grid]:
    """Return what does not count, and why."""
    rows = [[str(path), reason] for path, reason in found.left_out.items()]
    return [Grid("left out", ["file or folder", "why"], rows)] if rows else []


def _alike(experiments: Sequence[Experiment]) -> Iterable[list[Experiment]]:
    found: dict[Hashable, list[Experiment]] = {}
    for one in experiments:
        m = one.metrics
        key = m["task"], m["data"], one.provenance, tuple(one.figures), m["headline"], _metric(one)
        found.setdefault(key, []).append(one)
    return found.values()


def _side_by_side(experiments: Sequence[Experiment]) -> Grid:
    first = experiments[0]
    metric = _metric(first)
    names = marked(first.metrics, list(first.figures))
    head = ["experiment", "hash", "folds", "seeds", "runs", *(f"{metric} ({n})" for n in names)]
    head += ["parameters", "FLOPs a sample", "settings"]
    rows = []
    for one in experiments:
        figures = [with_error(metric, found[metric]) for found in one.figures.values()]
        where = places([run.key for run in one.runs])
        sizes = [_total(one.metrics, "parameters"), _total(one.metrics, "flops")]
        row = [one.name, one.metrics["hash"], *where, str(len(one.runs))]
        rows.append([*row, *figures, *sizes, one.settings])
    m = first.metrics
    caption = f"{m['task']}, data {m['data']}: {metric} on test, mean ± standard error"
    links = [one.id for one in experiments]
    return Grid(caption, head, rows, first.provenance == "sample", links)


def _metric(one: Experiment) -> str:
    return next(iter(one.figures[one.metrics["headline"]]))


def _total(metrics: Metrics, key: str) -> str:
    found = metrics.get(key)
    return count(found.get("total")) if isinstance(found, dict) else ""


def _environment(m: Metrics) -> tuple[str, ...]:
    versions = m.get("versions")
    known = versions.items() if isinstance(versions, dict) else ()
    made = (m.get("sources"), m.get("commit"), m.get("device"), m.get("threads"))
    return *map(_known, made), ", ".join(f"{name} {version}" for name, version in known)


def _known(value: Any) -> str:
    return "unknown" if value is None else str(value)


def _counted(counter: Counter[Any]) -> list[list[str]]:
    return [[*map(str, key), str(runs)] for key, runs in sorted(counter.items())]
