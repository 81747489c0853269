"""Robustness as grids of text, for the markdown file and for the page of all results.

Nothing heavy is imported here: the page is written without torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.metric import number

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ConditionGrid:
    """A line for each experiment or module, and a column for each condition.

    Args:
        modality: what is missing or corrupted.
        caption: what the cells are.
        note: the units of the strengths; empty where there are none.
        head: of the columns, the first one empty.
        body: as text, the first cell a name.
    """

    modality: str
    caption: str
    note: str
    head: Sequence[str]
    body: Sequence[Sequence[str]]


def condition_grids(
    rows: Sequence[Row], shares: Sequence[Row], *, metric: str, reference: str | None
) -> list[ConditionGrid]:
    """Return for each modality the figures, the differences to the reference, and the attention.

    Args:
        rows: of `figures`, in `experiments.robustness.summary` or its JSON.
        shares: of `attention`.
        metric: the one to show.
        reference: the label of the experiment that others are compared with.
    """
    main = [row for row in rows if row["metric"] == metric]
    grids = []
    for modality in dict.fromkeys(row["modality"] for row in main if row["modality"]):
        touched = {row["experiment"] for row in main if row["modality"] == modality}
        shown = [row for row in _of(main, modality) if row["experiment"] in touched]
        grids.append(_grid(shown, modality, metric, metric))
        against = [
            {**row, "mean": row["against_mean"], "error": row["against_error"],
             "runs": row["against_runs"]}
            for row in shown if row["against_mean"] is not None
        ]  # fmt: skip
        if against:
            caption = f"{metric}, against {reference}, paired over the same folds and seeds"
            grids.append(_grid(against, modality, metric, caption, sign=True))
        answers = [
            {**row, "experiment": f"{row['experiment']}, {row['module']}",
             "uniform": f"{row['uniform']:.3f}"}
            for row in _of(shares, modality) if row["share_of"] == modality
        ]  # fmt: skip
        if answers:
            caption = f"attention on {modality}: its share of all"
            grids.append(_grid(answers, modality, "share", caption, first=("uniform", "runs")))
    return grids


def _of(rows: Sequence[Row], modality: str) -> list[Row]:
    return [row for row in rows if row["modality"] in ("", modality)]


def _grid(
    rows: Sequence[Row],
    modality: str,
    metric: str,
    caption: str,
    *,
    sign: bool = False,
    first: Sequence[str] = ("runs",),
) -> ConditionGrid:
    columns = list(dict.fromkeys(map(_condition, rows)))
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault(str(row["experiment"]), {name: str(row[name]) for name in first})
        line[_condition(row)] = _cell(row, metric, sign)
    body = [[name, *(line.get(c, "") for c in (*first, *columns))] for name, line in lines.items()]
    units = {row["corruption"]: row["unit"] for row in rows if row["unit"]}
    listed = ", ".join(f"{name} in {unit}" for name, unit in units.items())
    note = f"Strengths: {listed}." if listed else ""
    return ConditionGrid(modality, caption, note, ["", *first, *columns], body)


def _condition(row: Row) -> str:
    return str(row["corruption"]) + (f" {row['strength']:g}" if row["unit"] else "")


def _cell(row: Row, metric: str, sign: bool) -> str:
    def written(value: float, sign: bool = False) -> str:
        return f"{value:.3f}" if metric == "share" else number(metric, value, sign=sign)

    error = "" if row["error"] is None else f" ± {written(row['error'])}"
    return written(row["mean"], sign) + error
