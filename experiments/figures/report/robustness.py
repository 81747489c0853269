"""What `scripts/robustness.py` wrote, as the page shows it."""

import json
from pathlib import Path

from experiments.figures.report.views import Article, Grid
from experiments.robustness.grids import condition_grids
from experiments.runs.errors import reading


def robustness_article(file: Path, *, id: str) -> Article:
    """Show figures and attention under each condition.

    Args:
        file: `robustness.json`.
        id: on the page.

    Raises:
        RunError: if it is not what this version of `scripts/robustness.py` writes.
    """
    with reading(file, "what scripts/robustness.py writes", "write it again"):
        content = json.loads(file.read_text())
        sample = content["provenance"] == "sample"
        found = condition_grids(
            content["figures"],
            content["attention"],
            metric=content["metric"],
            reference=content["reference"],
        )
        grids = [
            Grid(f"{g.modality} missing or corrupted: {g.caption}", g.head, g.body, sample)
            for g in found
        ]
        notes = [f"Weights of {content['rule']}. ± is the standard error."]
        notes += dict.fromkeys(f"{g.modality}. {g.note}" for g in found if g.note)
        notes += [f"Left out: {reason}" for reason in content["left_out"]]
        return Article(id, str(content["title"]), sample, grids, notes=notes)
