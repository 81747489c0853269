"""A table of the paper as data: its rows, the words that run them, and the runs that they need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments.folder import RunError, RunFolder


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        name: as the paper prints it.
        words: the words of `train.py` that run it; none for a row that is only quoted.
        paper: the paper's own figures by column; `parameters` in millions.
        note: what a reader must know, printed under the table.
        ours: a row that the paper does not have, such as a control.
    """

    name: str
    words: tuple[str, ...] = ()
    paper: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    ours: bool = False


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
        reference: the row that all others are compared with, paired.
        words: common to all rows.
        context: why the paper's figures are not what ours should match, where they are not.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    folds: tuple[Any, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    reference: str
    words: tuple[str, ...] = ()
    context: str = ""

    def jobs(self, row: Row, words: Sequence[str]) -> Iterator[list[str]]:
        """Give the words of each run of a row, seeds outermost; `words` are the user's own."""
        if row.words:
            for seed, fold in product(self.seeds, self.folds):
                yield [*self.words, *row.words, *words, f"fold={fold}", f"seed={seed}"]


def load_table(configs: Path, name: str, **changes: Any) -> Table:
    """Read `configs/table/<name>.yaml`.

    Args:
        configs: the folder of the configuration groups.
        name: which table.
        changes: fields that the user sets otherwise, such as `seeds`.

    Raises:
        RunError: if there is no such table, or the file does not hold one.
    """
    file = configs / "table" / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.yaml")))
        raise RunError(f"table={name}: no such table; there are {known}")
    content: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    try:
        rows = tuple(
            Row(**{**row, "words": tuple(row.get("words", ()))}) for row in content["rows"]
        )
        rest = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        table = Table(**{**rest, "name": name, "rows": rows, **changes})
    except (TypeError, KeyError) as error:
        raise RunError(f"{file}: expected a title and rows with name and words: {error}") from None
    if table.reference not in {row.name for row in rows}:
        raise RunError(f"{file}: no row is named as the reference '{table.reference}'")
    return table


@dataclass(frozen=True)
class Plan:
    """The runs that a table needs, in the order in which they can be done.

    Args:
        rows: for each row's name its run folders, one for each seed and fold.
        stages: words by run folder: first the runs that others start from, then the rest.
    """

    rows: Mapping[str, list[RunFolder]]
    stages: tuple[Mapping[RunFolder, list[str]], ...]

    @property
    def folders(self) -> list[RunFolder]:
        """Return every run's folder, in order."""
        return [folder for stage in self.stages for folder in stage]

    def missing(self, stage: Mapping[RunFolder, list[str]]) -> list[list[str]]:
        """Return the words of the runs of a stage that are not complete."""
        return [words for folder, words in stage.items() if not folder.complete]


def plan(table: Table, words: Sequence[str], make_run: Any) -> Plan:
    """Find out which runs a table needs, and where they live.

    Args:
        table: what to fill.
        words: the user's own, added to every row.
        make_run: makes a `Run` from words.
    """
    rows: dict[str, list[RunFolder]] = {}
    first: dict[RunFolder, list[str]] = {}
    then: dict[RunFolder, list[str]] = {}
    for row in table.rows:
        runs = [make_run(job) for job in table.jobs(row, words)]
        rows[row.name] = [run.folder for run in runs]
        for run in runs:
            then[run.folder] = run.overrides
            first |= {source.folder: source.overrides for source in run.sources.values()}
    then = {folder: job for folder, job in then.items() if folder not in first}
    return Plan(rows, (first, then))
