"""The picture of an evaluation's predictions: a confusion matrix, or levels."""

import textwrap
from pathlib import Path

from experiments.evaluation.finished import Evaluation
from experiments.evaluation.terminal import evaluation_title, with_error
from experiments.figures.confusion import draw_confusion
from experiments.figures.levels import draw_levels

LINE = 50  # characters of a title in one column of a page


def draw_predictions(evaluation: Evaluation, out: Path) -> list[Path]:
    """Draw the confusion matrix of a classification, the levels of a regression; return the paths.

    Args:
        evaluation: of one or several runs.
        out: the folder.
    """
    rule, title, provenance = evaluation.rule, title_of(evaluation), evaluation.provenance
    if evaluation.classifies:
        stem = out / f"confusion_{rule}"
        return draw_confusion(evaluation.report, stem, title=title, provenance=provenance)
    stem = out / f"levels_{rule}"
    return draw_levels(evaluation.levels, stem, title=title, provenance=provenance)


def title_of(evaluation: Evaluation) -> str:
    """Return what is shown: of which runs, and the mean of the main metric under the rule."""
    metric = evaluation.metric_names[0]
    figure = evaluation.figures()[evaluation.rule][metric]
    several = f" over {figure.covers()}; {len(evaluation.runs)} runs pooled"
    said = f"{evaluation.rule}: {metric} {with_error(metric, figure)}" + several * (figure.runs > 1)
    return "\n".join(textwrap.fill(line, LINE) for line in (evaluation_title(evaluation), said))
