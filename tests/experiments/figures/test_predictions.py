"""Pictures of predictions: confusion matrices and levels."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.evaluation.classes import ClassReport, class_report
from experiments.evaluation.finished import Evaluation, find_runs
from experiments.figures.confusion import draw_confusion
from experiments.figures.predictions import draw_predictions, title_of
from tests.experiments.finished import experiment, finished_run


def report_of(count: int) -> ClassReport:
    random = np.random.default_rng(0)
    return class_report(
        random.normal(size=(300, count)),
        random.integers(0, count, 300),
        [f"class{i}" for i in range(count)],
    )


@pytest.mark.parametrize(("count", "inches"), [(2, 3.4), (8, 3.4), (14, 6.8), (60, 6.8)])
def test_a_confusion_matrix_is_a_paper_column_wide_or_two(
    tmp_path: Path, count: int, inches: float
) -> None:
    paths = draw_confusion(report_of(count), tmp_path / "c", title="a title", provenance="real")
    assert [path.suffix for path in paths] == [".png", ".svg", ".pdf", ".csv"]
    header = paths[0].read_bytes()[:24]
    width, height = struct.unpack(">II", header[16:])
    assert (
        header[:4] == b"\x89PNG"
        and width == round(200 * inches)
        and 0.8 * width < height < 1.2 * width
    )


@pytest.mark.parametrize("count", [8, 60])
def test_every_class_and_the_title_can_be_read_in_the_svg(tmp_path: Path, count: int) -> None:
    """Text is drawn as paths; a comment before each says what it is."""
    report = report_of(count)
    paths = draw_confusion(report, tmp_path / "c", title="accuracy 12.5", provenance="real")
    text = paths[1].read_text()
    assert "<!-- accuracy 12.5 -->" in text
    for name, n in zip(report.names, report.counts, strict=True):
        assert f"<!-- {name} ({n})" in text
    shares = {100 * n / row.sum() for row in report.confusion for n in row if n}
    written = {int(n) for n in re.findall(r"<!-- (\d+) -->", text)}
    assert written == (
        {round(x) for x in shares} if count == 8 else {*range(1, 61), *range(0, 101, 20)}
    )


@pytest.mark.parametrize("provenance", ["real", "sample"])
def test_the_title_says_the_accuracy_its_error_and_sample(tmp_path: Path, provenance: str) -> None:
    for fold in range(3):
        for seed in (1, 2):
            finished_run(tmp_path, fold=fold, seed=seed, provenance=provenance)
    evaluation = Evaluation(find_runs(str(tmp_path)))
    by_fold = np.zeros((3, 2))
    for run in evaluation.runs:
        data = np.load(run.folder.path / "predictions.npz")
        right = data["scores_last_epoch"].argmax(1) == data["labels"]
        by_fold[run.metrics["fold"], run.metrics["seed"] - 1] = 100 * right.mean()
    folds = by_fold.mean(1)
    title = title_of(evaluation)
    said = " ".join(title.split())
    assert f"last_epoch: accuracy {folds.mean():.1f} ± {stats.sem(folds):.1f} over 3 folds" in said
    assert said.endswith("; 6 runs pooled")
    assert ("sample" in said) == (provenance == "sample")
    assert max(map(len, title.splitlines())) <= 50


def test_one_run_has_no_error_and_another_rule_its_own_accuracy(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    data = np.load(folder / "predictions.npz")
    accuracy = 100 * np.mean(data["scores_paper_rule"].argmax(1) == data["labels"])
    title = title_of(Evaluation(find_runs(str(folder)), "paper_rule"))
    assert title.splitlines()[-1] == f"paper_rule: accuracy {accuracy:.1f}"


def test_the_numbers_lie_beside(tmp_path: Path) -> None:
    evaluation = Evaluation(find_runs(str(experiment(tmp_path / "a"))))
    draw_predictions(evaluation, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"confusion_last_epoch.{kind}" for kind in ("csv", "pdf", "png", "svg")
    ]
    lines = (tmp_path / "out" / "confusion_last_epoch.csv").read_text().splitlines()
    counts = np.array([list(map(int, line.split(",")[1:-1])) for line in lines[1:]])
    expected = np.zeros((5, 5), int)
    for run in evaluation.runs:
        data = np.load(run.folder.path / "predictions.npz")
        for label, scores in zip(data["labels"], data["scores_last_epoch"], strict=True):
            expected[label, scores.argmax()] += 1
    assert np.array_equal(counts, expected)
