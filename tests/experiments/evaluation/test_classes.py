import numpy as np
import pytest

from experiments.evaluation.classes import class_report


def test_figures_of_each_class_counted_one_by_one() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 60)  # classes 4 and 5 have no sample,
    scores = random.normal(size=(60, 6))
    scores[:, 5] = -9  # and class 5 is never predicted
    report = class_report(scores, labels, list("abcdef"))
    assert report.names == tuple("abcde")
    for k in range(5):
        hits = wrong = missed = 0
        for score, label in zip(scores, labels, strict=True):
            chosen = max(range(6), key=lambda c, score=score: score[c])
            hits += chosen == label == k
            wrong += chosen == k != label
            missed += label == k != chosen
            assert report.confusion[k].sum() == (labels == k).sum()
        precision = 100 * hits / (hits + wrong) if hits + wrong else 0
        recall = 100 * hits / (hits + missed) if hits + missed else 0
        f1 = 2 * precision * recall / (precision + recall) if hits else 0
        found = report.precision[k], report.recall[k], report.f1[k]
        assert found == pytest.approx((precision, recall, f1))


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_of_no_class_is_refused(label: int) -> None:
    with pytest.raises(ValueError, match="labels: expected indices of 3 classes, found"):
        class_report(np.eye(3), np.array([0, 1, label]), list("abc"))
