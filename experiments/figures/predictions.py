"""The picture of an evaluation's predictions: a confusion matrix, or levels."""

from pathlib import Path

from experiments.evaluation.finished import Evaluation
from experiments.evaluation.terminal import evaluation_title
from experiments.figures.confusion import draw_confusion
from experiments.figures.levels import draw_levels


def draw_predictions(evaluation: Evaluation, out: Path) -> None:
    """Draw the confusion matrix of a classification, the levels of a regression.

    Args:
        evaluation: of one or several runs.
        out: the folder.
    """
    rule, title = evaluation.rule, _title(evaluation)
    if evaluation.classifies:
        draw_confusion(evaluation.report, out / f"confusion_{rule}.png", title=title)
    else:
        draw_levels(evaluation.levels, out / f"levels_{rule}.png", title=title)


def _title(evaluation: Evaluation) -> str:
    pooled = f", {len(evaluation.runs)} runs pooled" if len(evaluation.runs) > 1 else ""
    return f"{evaluation_title(evaluation)}\n{evaluation.rule}{pooled}"
