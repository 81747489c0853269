"""Filled tables read back from the JSON that `write_tables` wrote."""

import json
import math
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from experiments.evaluation.statistics import Estimate
from experiments.runs.errors import RunError, reading
from experiments.runs.overrides import Overrides
from experiments.tables.cells import cells
from experiments.tables.fill import Filled, Line, Measured
from experiments.tables.markdown import how_to_read, origin
from experiments.tables.table import Row, Table

T = TypeVar("T")
MEASURED = TypeAdapter(tuple[Measured, ...])
STANDS_ON = ("overrides", "data", "manifests", "starts", "protocols", "hashes", "sources")


def read_tables(file: Path) -> list[Filled]:
    """Return the parts of a table, one if it has no parts.

    Args:
        file: `table<name>.json`.

    Raises:
        RunError: if it is not what this version of `scripts/reproduce.py` writes.
    """
    with reading(file, "what scripts/reproduce.py writes", "write the table again"):
        content = json.loads(file.read_text())
        parts = content.get("parts", [content])
        if any("words" in part["table"] for part in parts):
            raise RunError(
                f"{file}: expected a table of this version, found one whose runs have other "
                "hashes; write the table again"
            )
        found = [_filled(part) for part in parts]
        for part in found:  # what cannot be printed is no table
            cells(part), origin(part), how_to_read(part)
            for line in part.lines:
                Overrides(
                    (*part.table.overrides, *line.row.overrides, *part.provenance["overrides"])
                )
        return found


def _filled(content: dict[str, Any]) -> Filled:
    table = content["table"]
    rows = tuple(_row(row) for row in table["rows"])
    stands = content["provenance"]
    if missing := [key for key in STANDS_ON if not isinstance(stands.get(key), list)]:
        raise ValueError(f"no {', '.join(missing)} in its provenance")
    if not isinstance(table["title"], str):
        raise TypeError(f"the title {table['title']}")
    lines = tuple(_line(line) for line in content["lines"])
    runs = [one for line in lines for one in line.measured]
    for one, rule, metric in product(runs, content["rules"], table["metrics"]):
        if metric not in one.figures.get(rule, {}):
            raise ValueError(f"a run without {metric} under {rule}")
    empty = [key for key in ("data", "manifests", "protocols") if not stands[key]]
    if runs and empty:
        raise ValueError(f"runs, and no {', '.join(empty)} in its provenance")
    return Filled(
        table=_of(Table, table, rows=rows),
        rules=tuple(content["rules"]),
        lines=lines,
        provenance=dict(stands),
        reporting=dict(content["reporting"]),
    )


def _line(content: dict[str, Any]) -> Line:
    figures = {
        rule: {metric: _estimate(value) for metric, value in metrics.items()}
        for rule, metrics in content["figures"].items()
    }
    differences = {rule: _estimate(value) for rule, value in content["differences"].items()}
    # As JSON, because strictly a mapping is no `Measured`.
    measured = MEASURED.validate_json(json.dumps(list(map(_run, content["measured"]))), strict=True)
    return _of(
        Line,
        content,
        row=_row(content["row"]),
        figures=figures,
        differences=differences,
        measured=measured,
    )


def _run(content: dict[str, Any]) -> dict[str, Any]:
    """Return a run whose figures are numbers; those of a network that diverged are NaN."""
    figures = {
        rule: {metric: _number(value) for metric, value in metrics.items()}
        for rule, metrics in content["figures"].items()
    }
    return content | {"figures": figures}


def _row(content: dict[str, Any]) -> Row:
    return _of(Row, content, overrides=tuple(map(str, content["overrides"])))


def _estimate(content: dict[str, Any]) -> Estimate:
    mean, error = (float(_number(content[key])) for key in ("mean", "error"))
    return _of(Estimate, content, mean=mean, error=error)


def _number(value: Any) -> Any:
    """Return what `write_tables` found, as it writes NaN as null."""
    return math.nan if value is None else value


def _of(kind: type[T], content: dict[str, Any], **changes: Any) -> T:
    """Make an instance of a dataclass; a key that it does not have is of another version."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    values = {key: _tuples(value) for key, value in content.items() if key in names}
    return kind(**values | changes)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
