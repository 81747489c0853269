"""What another fold or seed has counted already: it need not be counted a second time."""

from collections.abc import Mapping
from typing import Any

from experiments.runs.folder import RunError, RunFolder
from experiments.runs.sources import sources_hash

COUNTS = ("flops", "paper_size_parameters")


def counted_before(
    folder: RunFolder, run_hash: str, shapes: Mapping[str, list[int]]
) -> dict[str, Any] | None:
    """Return the `COUNTS` of a complete run of the same settings, if there is one.

    Settings, input shapes and code decide them, and neither fold nor seed: the run must have the
    same hash and shapes, and be made by these very sources.

    Args:
        folder: of the run that asks.
        run_hash: of its settings and data.
        shapes: each modality's input shape without the batch.
    """
    for file in sorted(folder.path.parents[1].glob("fold*/seed*/metrics.json")):
        try:
            metrics = RunFolder(file.parent).metrics()
        except (RunError, OSError):  # whoever needs that run's figures is told why
            continue
        made = (metrics["hash"], metrics.get("shapes"), metrics.get("sources"))
        if made == (run_hash, shapes, sources_hash()) and metrics.keys() >= set(COUNTS):
            return {name: metrics[name] for name in COUNTS}
    return None
