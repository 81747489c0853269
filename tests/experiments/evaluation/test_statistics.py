"""Means and differences against scipy and against figures worked out by hand."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from experiments.evaluation.statistics import (
    Estimate,
    RunKey,
    estimate,
    mean_and_error,
    paired_difference,
    paired_samples,
)


def runs(folds: int, seeds: int, offset: float = 0.0) -> dict[RunKey, float]:
    random = np.random.default_rng(folds * 10 + seeds)
    keys = product(range(folds), range(1, seeds + 1))
    return {key: offset + float(random.normal(60, 5)) for key in keys}


def test_mean_and_error_by_hand() -> None:
    # Deviations -3, -1, 1, 3: variance 20 / 3, error sqrt(20 / 3) / 2.
    mean, error = mean_and_error([1.0, 3.0, 5.0, 7.0])
    assert mean == 4.0
    assert error == pytest.approx(math.sqrt(20 / 3) / 2)


def test_one_value_has_no_error_and_none_has_no_mean() -> None:
    mean, error = mean_and_error([5.0])
    assert mean == 5.0 and math.isnan(error)
    with pytest.raises(ValueError, match="found none"):
        mean_and_error([])


def test_seeds_are_averaged_before_the_error_over_folds() -> None:
    # Fold means 50, 60, 70: error 10 / sqrt(3), however many seeds agree.
    values = {(0, 1): 49.0, (0, 2): 51.0, (1, 1): 60.0, (1, 2): 60.0, (2, 1): 68.0, (2, 2): 72.0}
    found = estimate(values)
    assert (found.mean, found.units, found.unit, found.runs) == (60.0, 3, "folds", 6)
    assert found.error == pytest.approx(10 / math.sqrt(3))
    assert found.covers() == "3 folds, seeds averaged within each"


def test_more_equal_seeds_do_not_shrink_the_error() -> None:
    base = {(fold, 1): 50.0 + 4 * fold for fold in range(6)}
    many = {(fold, seed): base[fold, 1] for fold in range(6) for seed in range(10)}
    assert estimate(many).error == pytest.approx(estimate(base).error)
    assert estimate(many, over="runs").error < 0.4 * estimate(base).error


@pytest.mark.parametrize(("folds", "seeds"), [(6, 3), (6, 1), (1, 5)])
def test_errors_agree_with_scipy(folds: int, seeds: int) -> None:
    values = runs(folds, seeds)
    table = np.array(list(values.values())).reshape(folds, seeds)
    units = table.mean(1) if folds > 1 else table[0]
    assert estimate(values).error == pytest.approx(stats.sem(units))
    assert estimate(values, over="runs").error == pytest.approx(stats.sem(table.ravel()))
    assert estimate(values).mean == pytest.approx(table.mean())


def test_folds_weigh_the_same_with_unequal_seeds() -> None:
    assert estimate({(0, 1): 10.0, (0, 2): 10.0, (0, 3): 10.0, (1, 1): 20.0}).mean == 15.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({(0, 1): 1.0}, "one run, no error"),
        ({(0, 1): 1.0, (0, 2): 2.0}, "2 seeds"),
        ({(0, 1): 1.0, (1, 1): 2.0}, "2 folds"),
    ],
)
def test_an_estimate_says_what_it_covers(values: dict[RunKey, float], words: str) -> None:
    assert estimate(values).covers() == words


def test_protocols_have_no_mean() -> None:
    assert estimate({("cs", 1): 90.0, ("cs", 2): 92.0}).mean == 91.0
    values: dict[tuple[int | str, int], float] = {("cs", 1): 1.0, ("cv", 1): 2.0}
    with pytest.raises(ValueError, match=r"folds cs, cv have no mean.*/foldcs' or .*/foldcv'$"):
        estimate(values)
    mixed: dict[tuple[int | str, int], float] = {(0, 1): 1.0, (1, 1): 2.0, ("cs", 1): 3.0}
    with pytest.raises(ValueError, match=r"0, 1, cs have no mean, for cs tests .*/fold\?'$"):
        estimate(mixed)


def test_a_paired_difference_agrees_with_scipys_paired_test() -> None:
    first, second = runs(6, 1, offset=2.0), runs(6, 2)
    second = {key: second[key] for key in first}
    found = paired_difference(first, second)
    test = stats.ttest_rel(list(first.values()), list(second.values()))
    assert found.mean / found.error == pytest.approx(test.statistic)


def test_what_both_sets_share_cancels() -> None:
    hard = {(fold, seed): 30.0 * fold for fold in range(4) for seed in (1, 2)}
    better = {key: value + 3.0 for key, value in hard.items()}
    found = paired_difference(better, hard)
    assert found == Estimate(3.0, 0.0, units=4, unit="folds", runs=8)
    assert estimate(better).error > 10


def test_order_of_the_runs_does_not_matter() -> None:
    first, second = runs(3, 2), runs(3, 2, offset=1.0)
    turned = dict(reversed(second.items()))
    assert paired_difference(first, turned) == paired_difference(first, second)


def test_unmatched_runs_are_named() -> None:
    first = runs(3, 2)
    second = {key: value for key, value in first.items() if key != (2, 1)}
    with pytest.raises(ValueError, match="the second set lacks fold 2 seed 1:"):
        paired_difference(first, second)
    with pytest.raises(ValueError, match="the first set lacks fold 2 seed 1:"):
        paired_difference(second, first)
    with pytest.raises(ValueError, match="and 12 more"):
        paired_difference(runs(6, 3), {})


def test_paired_samples_by_hand() -> None:
    # Differences 1, 0, -1, 1: mean 1/4, variance 11/12.
    found = paired_samples(
        {"a": 1.0, "b": 1.0, "c": 0.0, "d": 1.0}, {"a": 0.0, "b": 1.0, "c": 1.0, "d": 0.0}
    )
    assert found.mean == 0.25 and found.unit == "samples"
    assert found.error == pytest.approx(math.sqrt(11 / 12) / 2)
    with pytest.raises(ValueError, match="lacks sample b"):
        paired_samples({"a": 1.0}, {"a": 1.0, "b": 0.0})
