"""Every regression metric against scikit-learn, scipy and counting by hand."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics as sk

from models.metrics import regression_metrics


def measured(p: object, y: object) -> dict[str, float]:
    scores, labels = (torch.as_tensor(np.asarray(x, dtype=np.float32)) for x in (p, y))
    return regression_metrics(scores.unsqueeze(1), labels)


def expected(p: np.ndarray, y: np.ndarray) -> dict[str, float]:
    sided = y != 0
    seven_p, seven_y = (np.clip(np.rint(x), -3, 3).astype(int) for x in (p, y))
    p2, y2 = p[sided] > 0, y[sided] > 0
    return {
        "mae": sk.mean_absolute_error(y, p),
        "corr": stats.pearsonr(y, p).statistic,
        "acc7": 100 * sk.accuracy_score(seven_y, seven_p),
        "acc2": 100 * sk.accuracy_score(y2, p2),
        "f1": 100 * sk.f1_score(y2, p2, average="weighted"),
        "has0_acc2": 100 * sk.accuracy_score(y >= 0, p >= 0),
        "has0_f1": 100 * sk.f1_score(y >= 0, p >= 0, average="weighted"),
    }


@pytest.mark.parametrize("seed", range(4))
def test_all_of_them_agree_with_scikit_learn_and_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = (random.integers(-9, 10, 500) / 3).astype(np.float32)
    p = (0.6 * y + random.normal(scale=1.2, size=500)).astype(np.float32)
    p[random.random(500) < 0.1] = 0  # exactly zero, on both sides of the threshold
    found = measured(p, y)
    assert list(found) == ["mae", "corr", "acc7", "acc2", "f1", "has0_acc2", "has0_f1"]
    wanted = expected(p.astype(np.float64), y.astype(np.float64))
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, abs=2e-5), name


def test_halves_go_to_the_even_number_and_the_ends_are_clipped() -> None:
    # 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, 4.2 -> 3, -7 -> -3; on both sides.
    assert measured([0.5, 1.5, 2.5, -0.5, 4.2, -7.0], [0, 2, 2, 0, 3, -3])["acc7"] == 100
    assert measured([0, 2, 2, 0, 3, -3], [0.5, 1.5, 2.5, -0.5, 3.0, -2.6])["acc7"] == 100
    assert measured([1.0, 1.0, 3.0, -1.0], [0.5, 1.5, 2.5, -0.5])["acc7"] == 0


def test_a_prediction_of_exactly_zero_is_negative_without_zeros_and_not_with_them() -> None:
    found = measured([0, 0, 1, -1], [-1, 1, 0, 2])
    # Without the label 0: (0, -1) right, (0, 1) wrong, (-1, 2) wrong.
    assert found["acc2"] == pytest.approx(100 / 3)
    # With it: (0, -1) wrong, (0, 1) right, (1, 0) right, (-1, 2) wrong.
    assert found["has0_acc2"] == pytest.approx(50)


def test_weighted_f1_by_hand() -> None:
    # Positives: 3 true, 2 found, 1 false alarm: 2/3. Negatives: 2 true, 1 found, 1 missed: 1/2.
    found = measured([1, 1, -1, 1, -1], [1, 2, 3, -1, -2])
    assert found["f1"] == pytest.approx(100 * (3 * (2 / 3) + 2 * (1 / 2)) / 5)


def test_constant_predictions_have_no_correlation() -> None:
    found = measured([0.7] * 6, [-2, -1, 0, 1, 1, 3])
    assert found["corr"] == 0.0
    assert found["acc2"] == pytest.approx(60)
    assert found["f1"] == pytest.approx(60 * 0.75)  # the negatives' F1 is 0
    assert found["mae"] == pytest.approx((2.7 + 1.7 + 0.7 + 0.3 + 0.3 + 2.3) / 6)
    assert measured([1.0, 2.0], [3.0, 3.0])["corr"] == 0.0


def test_a_split_of_zeros_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected labels other than 0"):
        measured([1.0, 2.0], [0.0, 0.0])


def test_predictions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 predictions are NaN or infinite"):
        measured([float("nan"), 1.0], [1.0, -1.0])
