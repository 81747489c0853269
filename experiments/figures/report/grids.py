"""The tables of one experiment: its figures, classes, runs and sizes, and what it stands on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.evaluation.finished import Evaluation, FinishedRun
from experiments.evaluation.terminal import marked, with_error
from experiments.figures.report.pictures import WRITTEN
from experiments.figures.report.views import Grid
from experiments.metric import number


def figures(evaluation: Evaluation) -> Grid:
    """Show every metric under every rule, with standard errors."""
    rows = []
    rules = marked(evaluation.metrics, evaluation.rules)
    for mark, (rule, found) in zip(rules, evaluation.figures().items(), strict=True):
        epochs = [run.metrics["reported"][rule]["epoch"] for run in evaluation.runs]
        cells = [with_error(metric, estimate) for metric, estimate in found.items()]
        rows.append([mark, _epochs(epochs), *cells])
    covers = evaluation.figures()[evaluation.rule][evaluation.metric_names[0]].covers()
    error = f"± standard error over {covers}" if len(evaluation.runs) > 1 else covers
    caption = f"test figures, {error}; * the headline"
    head = ["rule", "epoch", *evaluation.metric_names]
    return Grid(caption, head, rows, evaluation.provenance == "sample")


def _epochs(chosen: Sequence[Any]) -> str:
    numbers = sorted({epoch + 1 for epoch in chosen if isinstance(epoch, int)})
    if not numbers or not all(isinstance(epoch, int) for epoch in chosen):
        return "-"
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def classes_or_levels(evaluation: Evaluation) -> list[Grid]:
    """Show the figures of each class and the confusion counts, or those of each level."""
    sample = evaluation.provenance == "sample"
    if not evaluation.classifies:
        rows = evaluation.levels.rows()
        return [Grid("by rounded label", list(rows[0]), list(map(_level, rows)), sample)]
    report = evaluation.report
    cells = [
        [row["class"], str(row["n"]), *(f"{row[k]:.1f}" for k in ("recall", "precision", "f1"))]
        for row in report.rows()
    ]
    classes = Grid("classes", ["class", "n", "recall", "precision", "f1"], cells, sample)
    if len(report.names) > WRITTEN:
        return [classes]
    matrix = zip(report.names, report.confusion.tolist(), strict=True)
    counts = [[name, *map(str, row)] for name, row in matrix]
    return [classes, Grid("confusion counts", ["true \\ predicted", *report.names], counts, sample)]


def _level(row: Mapping[str, Any]) -> list[str]:
    whole = [f"{row['label']:+d}" if row["label"] else "0", str(row["n"])]
    means = [f"{row[key]:.2f}" for key in ("mean_label", "mean_prediction", "spread")]
    return [*whole, *means, *(number(key, row[key]) for key in ("mae", "acc7"))]


def every_run(evaluation: Evaluation) -> Grid:
    """Show every run by itself: its first metric under each rule, and what made it."""
    metric = evaluation.metric_names[0]
    head = ["fold", "seed", *(f"{metric} ({rule})" for rule in evaluation.rules)]
    head += ["seconds", "sources", "commit", "device"]
    rows = []
    for run in evaluation.runs:
        m = run.metrics
        found = [number(metric, m["reported"][r]["test"][metric]) for r in evaluation.rules]
        made = [str(m.get("sources", "-"))[:8], str(m.get("commit") or "-")[:8]]
        place = [str(part) for part in run.key]
        rows.append([*place, *found, str(m.get("seconds", "-")), *made, str(m.get("device", "-"))])
    return Grid("runs", head, rows, evaluation.provenance == "sample")


def sizes(evaluation: Evaluation) -> list[Grid]:
    """Show parameters and FLOPs by part, as far as the run recorded them."""
    columns = {
        "parameters": evaluation.metrics.get("parameters"),
        "FLOPs a sample": evaluation.metrics.get("flops"),
        "parameters at the paper's size": evaluation.metrics.get("paper_size_parameters"),
    }
    known = {name: found for name, found in columns.items() if isinstance(found, dict)}
    parts = dict.fromkeys(part for found in known.values() for part in found)
    rows = [[part, *(count(found.get(part)) for found in known.values())] for part in parts]
    sample = evaluation.provenance == "sample"
    return [Grid("parameters and FLOPs", ["part", *known], rows, sample)] if rows else []


def count(value: Any) -> str:
    """Return a count as text; nothing where there is none."""
    return f"{value:,}" if isinstance(value, int) else ""


def facts(runs: Sequence[FinishedRun]) -> dict[str, str]:
    """Name what the runs stand on; where they differ, all values."""
    wanted = ("hash", "data", "provenance", "manifest", "protocol", "starts_from", "epochs")
    made = ("sources", "commit", "device", "threads", "cores")
    found: dict[str, list[str]] = {"runs in": [str(_place(runs))]}
    for run in runs:
        m = run.metrics
        values = {key: m.get(key) for key in (*wanted, *made)}
        versions = m.get("versions")
        values |= versions if isinstance(versions, dict) else {}
        if converted := m.get("converted"):
            values["converted from"] = f"{converted['file']}, sha256 {converted['sha256']}"
        for key, value in values.items():
            if value is not None:
                found.setdefault(key.replace("_", " "), []).append(str(value))
    return {key: ", ".join(dict.fromkeys(values)) for key, values in found.items()}


def _place(runs: Sequence[FinishedRun]) -> Path:
    """Return the folder of the variant, or that of a single run."""
    path = runs[0].folder.path
    return path.parents[1] if len(runs) > 1 else path
