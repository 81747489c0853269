"""From the name of a table to its runs, and from the runs to the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException

from experiments.console import complain, console
from experiments.evaluation.statistics import Fold
from experiments.runs.compose import compose
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.tables.fill import Filled, fill, unreadable
from experiments.tables.launch import run_all
from experiments.tables.plan import Plan, plan
from experiments.tables.recorded import RecordedRun, with_recorded
from experiments.tables.sizes import paper_sizes
from experiments.tables.table import Table, load_tables
from experiments.tables.write import show_table, write_tables

OWN = ("table", "seeds", "folds", "recorded", "dry_run", "out")
ALIKE = ("seed", "fold")  # keys of every run, so no misspelt ones of these


@dataclass(frozen=True)
class Wish:
    """What a user asks of `scripts/reproduce.py`.

    Args:
        table: which one.
        out: the folder of the table; `None` for that of the results.
        seeds: of every row; `None` for the table's own.
        folds: of every row; `None` for the table's own.
        recorded: written tables whose runs count as complete.
        dry_run: list the runs, and stop.
        launcher: the overrides that choose a launcher.
        overrides: all others, for every run.
    """

    table: str
    out: Path | None
    seeds: tuple[int, ...] | None
    folds: tuple[Fold, ...] | None
    recorded: tuple[Path, ...]
    dry_run: bool
    launcher: Overrides
    overrides: Overrides

    @classmethod
    def of(cls, overrides: Overrides) -> "Wish":
        """Read a command line.

        Raises:
            RunError: if there is no table, or a value is none that it can have.
        """
        rest = overrides.without(*OWN, "hydra")
        if "table" not in overrides:
            raise RunError(_no_table(rest))
        for key in rest.without(*ALIKE).keys:
            if close := get_close_matches(key, OWN, n=1, cutoff=0.8):
                raise RunError(f"{key}: no such key, did you mean {close[0]}?")
        out = overrides.value("out")
        return cls(
            table=str(overrides.value("table")),
            out=None if out is None else Path(str(out)),
            seeds=_several(overrides, "seeds", int, "[1,2,3]"),
            folds=_several(overrides, "folds", int | str, "[0,1,2]"),
            recorded=tuple(
                map(Path, _several(overrides, "recorded", str, "[results/table1.json]") or ())
            ),
            dry_run=overrides.flag("dry_run"),
            launcher=overrides.only("hydra"),
            overrides=rest,
        )

    @property
    def changes(self) -> dict[str, Any]:
        """Return what the user wants otherwise than the table's yaml."""
        wanted = {"seeds": self.seeds, "folds": self.folds}
        return {key: value for key, value in wanted.items() if value is not None}


def reproduce(configs: Path, overrides: Overrides) -> int:
    """Fill a table.

    Args:
        configs: the folder of the configuration groups.
        overrides: of the command itself (`OWN`), of the launcher, and of every run.

    Returns:
        0 if every run is complete, 1 if some failed or cannot be read.

    Raises:
        RunError: if the overrides or the table make no sense; nothing has been run then.
    """
    wish = Wish.of(overrides)
    tables = load_tables(configs, wish.table, **wish.changes)
    _refuse(tables.parts, wish.overrides)
    with hydra.initialize_config_dir(str(configs), version_base="1.3"):
        plans = with_recorded(_plans(tables.parts, wish.overrides), wish.recorded)
        _tell_recorded(plans)
        if wish.dry_run:
            for todo in plans:
                _list(todo)
            return 1 if any(todo.refused for todo in plans) else 0
        every = [_fill(table, todo, wish) for table, todo in zip(tables.parts, plans, strict=True)]
        out = wish.out or Path(compose(wish.overrides.only("results")).results)
    filled, complaints = [part for part, _ in every], [c for _, said in every for c in said]
    for part in filled:
        show_table(part, console)
    for path in write_tables(tables, filled, out):
        console.print(str(path), style="bold", markup=False)
    for complaint in complaints:
        complain(complaint)
    return 1 if complaints else 0


def _plans(parts: Sequence[Table], overrides: Overrides) -> list[Plan]:
    """Plan each part; one that cannot be run, as its data set is another's, stops no other.

    Raises:
        RunError, HydraException: if none can be run; the reason is the first part's.
    """
    plans: list[Plan] = []
    reasons: list[Exception] = []
    for table in parts:
        try:
            plans.append(plan(table, overrides))
        except (RunError, HydraException) as error:  # the latter for a key that one task lacks
            reasons.append(error)
            plans.append(Plan({}, (), dict.fromkeys((r.name for r in table.rows), str(error))))
    if len(reasons) == len(parts):
        raise reasons[0]
    return plans


def _fill(table: Table, todo: Plan, wish: Wish) -> tuple[Filled, list[str]]:
    """Run what a table lacks and collect its figures; return it with all that went wrong."""
    failed = run_all(todo, wish.launcher)
    broken = unreadable(todo)
    sizes = paper_sizes(table, todo, wish.overrides, broken)
    reasons = {f"row {name}": reason for name, reason in todo.refused.items()}
    reasons |= {str(folder.path): reason for folder, reason in failed.items()}
    complaints = [*(f"{place}: {why}" for place, why in reasons.items()), *broken.values()]
    return fill(table, todo, sizes, wish.overrides, broken), complaints


def _several(overrides: Overrides, key: str, kinds: Any, example: str) -> tuple[Any, ...] | None:
    """Read a list of numbers or names, or a single one; `None` where the key is not set."""
    if key not in overrides:
        return None
    value = overrides.value(key)
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, kinds) for item in values):
        raise RunError(f"{overrides.only(key)}: expected a list such as {key}={example}")
    return tuple(values)


def _no_table(overrides: Overrides) -> str:
    close = get_close_matches("table", overrides.keys, n=1)
    found = f", found {close[0]}=" if close else ""
    return f"expected table=<name>{found}; `python scripts/reproduce.py --help` lists the tables"


def _refuse(parts: Sequence[Table], overrides: Overrides) -> None:
    """Refuse overrides that would make every row the same run, or that a table sets itself.

    Raises:
        RunError: names the override and what to write instead.
    """
    taken: dict[str, str] = {}
    for table in parts:
        rows = [key for row in table.rows for key in Overrides(row.overrides).keys]
        common = Overrides(table.overrides).keys if len(parts) > 1 else []
        taken |= dict.fromkeys([*rows, *common], table.name)
    for key, text in zip(overrides.keys, overrides, strict=True):
        if key in ("fold", "seed"):
            raise RunError(f"{text}: a table has several, write {key}s=[...]")
        if key in taken:
            raise RunError(f"{text}: the rows of table={taken[key]} differ in it; leave it out")


def _list(todo: Plan) -> None:
    for folder in todo.folders:
        console.print(f"{_state(folder)}  {folder.path}", markup=False, highlight=False)
    console.print(f"{todo.done} of {len(todo.folders)} runs complete")
    for name, reason in todo.refused.items():
        complain(f"row {name}: {reason}")


def _state(folder: RunFolder) -> str:
    if isinstance(folder, RecordedRun):
        return "recorded"
    return "outdated" if folder.outdated else "complete" if folder.complete else "missing "


def _tell_recorded(plans: Sequence[Plan]) -> None:
    """Say how many runs' figures come from a record, and whether other sources made them."""
    rows = {f for todo in plans for row in todo.rows.values() for f in row}
    every = [folder for folder in rows if isinstance(folder, RecordedRun)]
    if every:
        outdated = sum(folder.outdated for folder in every)
        console.print(
            f"{len(every)} of {len(rows)} runs as recorded"
            + f"; {outdated} of them made by other sources: rerun=true makes them again"
            * bool(outdated)
        )
