import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from experiments.evaluation.classes import class_report
from experiments.evaluation.levels import level_report
from experiments.figures.report.pictures import accuracy, confusion, curves, embedded, levels


def texts(svg: bytes) -> list[str]:
    return [x.text or "" for x in ElementTree.fromstring(svg).iter() if x.tag.endswith("}text")]


@pytest.mark.parametrize("count", [2, 8, 60])
def test_a_confusion_matrix_states_its_accuracy(count: int) -> None:
    random = np.random.default_rng(count)
    labels = random.integers(0, count, 3000)
    scores = random.normal(size=(3000, count)) + 2 * np.eye(count)[labels]
    names = [f"action number {k}" for k in range(count)]
    report = class_report(scores, labels, names)
    right = 100 * accuracy_score(labels, scores.argmax(1))
    assert accuracy(report) == pytest.approx(right)
    found = texts(confusion(report))
    assert f"accuracy {right:.1f} %, 3000 predictions" in found
    assert found.count(names[-1] if count == 60 else names[-1][:14]) >= 2  # at both axes
    diagonal = {f"{share:.0f}" for share in report.shares.diagonal()}
    assert diagonal <= set(found) or count == 60


def test_curves_are_the_mean_of_the_runs() -> None:
    logs = [
        {"epoch": [0.0, 1.0, 2.0], "train/loss": [3.0, 2.0, 1.0], "test/accuracy": values}
        for values in ([0.0, 40.0, 80.0], [0.0, 20.0, 100.0])
    ]
    svg = curves(logs, "accuracy")
    assert {"loss", "accuracy", "epoch", "test"} <= set(texts(svg))
    # Of one series (0, 30, 90) the middle is a third of the way up; thick lines are the means.
    thick = re.findall(rb'<path d="([^"]*)"[^>]*stroke-width: 1.4', svg)
    points = [[float(y) for y in re.findall(rb"[ML] \S+ (\S+)", path)] for path in thick]
    (mean,) = [p for p in points if len(p) == 3 and p[0] > p[2]]  # accuracy rises, downward in SVG
    assert (mean[0] - mean[1]) / (mean[0] - mean[2]) == pytest.approx(1 / 3, abs=1e-4)
    assert curves(logs[:1], "accuracy") != svg


def test_the_levels_of_a_regression_are_drawn_once_and_the_same() -> None:
    random = np.random.default_rng(1)
    labels = random.uniform(-3, 3, 300)
    report = level_report(labels + random.normal(size=300), labels)
    svg = levels(report)
    assert "by rounded label, standard deviation" in texts(svg)
    assert levels(report) == svg
    assert base64.b64decode(embedded(svg).partition(",")[2]) == svg
