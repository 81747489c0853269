"""A table of the paper as data: its rows, and the overrides that run them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from experiments.evaluation.statistics import Fold
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        name: as the paper prints it.
        overrides: of `train.py`, that run it; none for a row that is only quoted.
        paper: the paper's own figures by column; `parameters` in millions.
        note: what a reader must know, printed under the table.
        ours: a row that the paper does not have, such as a control.
        reference: the row that this one is compared with, where it is not the table's.
    """

    name: str
    overrides: tuple[str, ...] = ()
    paper: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    ours: bool = False
    reference: str = ""


@dataclass(frozen=True)
class Table:
    """A table: rows by folds by seeds.

    Args:
        name: of the yaml, such as `1`.
        title: printed above.
        rows: from top to bottom.
        folds: of the task.
        seeds: default seeds; a command may name others.
        metrics: the columns of test metrics, the first one compared.
        reference: the row that others are compared with, paired, where they name no other; empty
            for a sweep, which has no such row, and none of the paper's figures.
        overrides: common to all rows.
        context: why the paper's figures are not what ours should match, where they are not.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    folds: tuple[Fold, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    reference: str
    overrides: tuple[str, ...] = ()
    context: str = ""

    @property
    def places(self) -> Iterator[tuple[Fold, int]]:
        """Give each run's fold and seed, seeds outermost."""
        return ((fold, seed) for seed, fold in product(self.seeds, self.folds))

    def reference_of(self, row: Row) -> str:
        """Return the name of the row that a row is compared with."""
        return row.reference or self.reference

    @property
    def references(self) -> list[str]:
        """Return the names of all rows that others are compared with, the table's own first."""
        return list(dict.fromkeys([self.reference, *map(self.reference_of, self.rows)]))

    def jobs(self, row: Row, overrides: Overrides) -> Iterator[Overrides]:
        """Give the overrides of each run of a row; `overrides` are the user's own."""
        if row.overrides:
            every = Overrides((*self.overrides, *row.overrides, *overrides))
            for fold, seed in self.places:
                yield every.setting(fold=fold, seed=seed)


@dataclass(frozen=True)
class Tables:
    """What one command fills: a table, or several that the paper prints as one.

    Args:
        name: of the yaml.
        title: printed above.
        parts: tables of their own, each with its task, folds, seeds, metrics and reference.
    """

    name: str
    title: str
    parts: tuple[Table, ...]


def load_tables(configs: Path, name: str, **changes: Any) -> Tables:
    """Read `configs/table/<name>.yaml`, and the tables that it names as its `parts`.

    Args:
        configs: the folder of the configuration groups.
        name: which table.
        changes: fields that the user sets otherwise, such as `seeds`.

    Raises:
        RunError: if there is no such table, or a file does not hold one.
    """
    file, content = _read(configs, name)
    parts = content.get("parts") if isinstance(content, dict) else None
    if parts is None:
        table = load_table(configs, name, **changes)
        return Tables(name, table.title, (table,))
    if content.keys() != {"title", "parts"} or not isinstance(parts, list) or not parts:
        raise RunError(f"{file}: expected a title and a list of parts, found {', '.join(content)}")
    loaded = tuple(load_table(configs, str(part), **changes) for part in parts)
    return Tables(name, content["title"], loaded)


def load_table(configs: Path, name: str, **changes: Any) -> Table:
    """Read `configs/table/<name>.yaml`, a table with rows; else as `load_tables`.

    `rows: <another table>` takes the rows of that one.
    """
    file, content = _read(configs, name)
    try:
        other = content["rows"]
        given = _read(configs, other)[1]["rows"] if isinstance(other, str) else other
        rows = tuple(_make(Row, row) for row in given)
        table = _make(Table, {**content, "name": name, "rows": rows, **changes})
        _check(table)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{file}: expected a title and rows with name and overrides: {error}"
        ) from None
    return table


def _read(configs: Path, name: str) -> tuple[Path, Any]:
    file = configs / "table" / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.yaml")))
        raise RunError(f"table={name}: no such table; there are {known}")
    try:
        return file, OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    except (YAMLError, ValueError) as error:
        raise RunError(
            f"{file}: expected a title and rows with name and overrides: {error}"
        ) from None


def _make(kind: Any, content: dict[str, Any]) -> Any:
    """Make a row or a table from its keys, lists as tuples."""
    known = {f.name: f for f in fields(kind)}
    for key, value in content.items():
        if key not in known:
            place = f"{kind.__name__.lower()} {content.get('name', '')}".strip()
            close = get_close_matches(key, known, n=1)
            guess = f", did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
            raise ValueError(f"{place}: no such key {key}{guess}")
        if key == "overrides" and not (
            isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        ):
            raise ValueError(f"overrides: expected a list of quoted overrides, found {value}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()})


def _check(table: Table) -> None:
    names = [row.name for row in table.rows]
    if len(set(names)) < len(names):
        raise ValueError(f"two rows have the same name, among {', '.join(names)}")
    for reference in table.references:
        if reference not in names:
            raise ValueError(f"no row is named as the reference '{reference}'")
    if len(table.folds) > 1 and any(isinstance(fold, str) for fold in table.folds):
        raise ValueError(
            f"the folds {', '.join(map(str, table.folds))} have no mean, for a fold with a name is "
            "a protocol of its own: take one of them, or make a table of each"
        )
