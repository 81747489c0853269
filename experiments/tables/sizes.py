"""How large each row's network is at the paper's size."""

from collections.abc import Collection

from experiments.runs.folder import RunFolder
from experiments.runs.overrides import Overrides
from experiments.tables.plan import Plan
from experiments.tables.table import Table


def paper_sizes(
    table: Table, todo: Plan, overrides: Overrides, broken: Collection[RunFolder]
) -> dict[str, int]:
    """Return each row's parameters at the paper's size; a row that cannot be built has none.

    Its complete runs have them. Without any, or where these differ, they are counted.

    Args:
        table: its rows.
        todo: where the runs of each row are.
        overrides: the user's own.
        broken: complete runs whose metrics cannot be read.
    """
    sizes: dict[str, int] = {}
    for row in table.rows:
        if not row.overrides or row.name in todo.refused:
            continue
        complete = (f for f in todo.rows[row.name] if f.complete and f not in broken)
        known = {f.metrics().get("paper_size_parameters", {}).get("with_heads") for f in complete}
        size = known.pop() if len(known) == 1 else None
        if size is None:
            size = _count(Overrides((*table.overrides, *row.overrides, *overrides)))
        if size is not None:
            sizes[row.name] = size
    return sizes


def _count(overrides: Overrides) -> int | None:
    from experiments.runs.complexity import paper_size_parameters  # here, because it takes torch

    try:
        return paper_size_parameters(overrides)["with_heads"]
    except (ValueError, TypeError):
        return None  # its runs have failed, and said why
