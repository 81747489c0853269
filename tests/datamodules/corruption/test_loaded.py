"""Corruptions of loaded samples: what is changed, where, and by how much."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from datamodules.corruption import (
    Blur,
    DroppedFeatures,
    FeatureNoise,
    JointJitter,
    MissingJoints,
    Occlusion,
    TrainingMean,
    Zeros,
)
from datamodules.corruption.base import Draw, LoadedCorruption
from datamodules.corruption.moments import Moments, training_moments
from datamodules.packed.errors import DataError


def apply(
    corruption: LoadedCorruption,
    values: np.ndarray,
    strength: float,
    moments: Any = None,
    row: int = 0,
) -> np.ndarray:
    generator = np.random.default_rng(row)
    by = Draw(strength, generator, lambda: moments)  # type: ignore[arg-type]
    return corruption.corrupt(values, by)


def test_blur_spreads_a_point_as_a_gaussian() -> None:
    frames = np.zeros((2, 101, 101, 3), np.uint8)
    frames[:, 50, 50] = 255
    sigma = 2.0  # 2 % of 100 and a bit
    found = apply(Blur(strengths=[2]), frames, 2 * 100 / 101).astype(float)
    y, x = np.mgrid[:101, :101] - 50
    expected = 255 * np.exp(-(x**2 + y**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    assert np.abs(found[0, :, :, 0] - expected).max() < 1
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(apply(Blur(strengths=[2]), frames, 0), frames)


@pytest.mark.parametrize("share", [10, 25, 50, 75, 100])
@pytest.mark.parametrize(("height", "width"), [(40, 40), (30, 60), (60, 30)])
def test_occlusion_covers_its_share_at_one_place(share: int, height: int, width: int) -> None:
    frames = np.full((3, height, width, 3), 200, np.uint8)
    for row in range(5):
        found = apply(Occlusion(strengths=[share]), frames, share, row=row)
        covered = found[0, :, :, 0] == 0
        assert abs(100 * covered.mean() - share) < 3  # whole pixels
        assert all(np.array_equal(frame, found[0]) for frame in found)
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        assert covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()  # a rectangle
        assert set(np.unique(found)) <= {0, 200}
    assert (frames == 200).all()  # the packed sample stays as it is


def test_jitter_has_its_size_and_leaves_who_is_absent() -> None:
    skeleton = np.zeros((3, 200, 25, 2), np.float32)
    skeleton[..., 0] = np.random.default_rng(1).normal(size=(3, 200, 25)) + 3
    found = apply(JointJitter(strengths=[5]), skeleton, 5)
    assert (found[..., 1] == 0).all()
    moved = (found - skeleton)[..., 0]
    assert abs(moved.std() - 0.05) < 0.002  # five centimeters, in meters
    assert abs(moved.mean()) < 0.002


def test_missing_joints_lie_in_the_spine_in_all_frames() -> None:
    skeleton = np.random.default_rng(0).normal(size=(3, 10, 25, 2)).astype(np.float32)
    spine = skeleton[:, :, 1, None]
    missing = []
    for strength in (10, 25, 50, 75):
        corruption = MissingJoints(strengths=[10], spine=1)
        many = np.array([apply(corruption, skeleton, strength, row=r) for r in range(40)])
        gone = many != skeleton  # (40, 3, 10, 25, 2)
        assert (gone == gone[:, :1, :1]).all()
        assert (np.where(gone, many - spine, 0) == 0).all()
        assert not gone[:, :, :, 1].any()  # the spine itself, on which frames are centered
        share = np.delete(gone, 1, axis=3).mean()
        assert abs(100 * share - strength) < 4  # 1,920 draws: 3 deviations are 3.4
        missing.append(gone[:, 0, 0])
    assert all((weaker <= stronger).all() for weaker, stronger in pairwise(missing))


def test_a_square_stands_anywhere_with_the_same_probability() -> None:
    frames = np.full((1, 4, 4, 3), 9, np.uint8)
    counts = np.zeros((3, 3))
    for row in range(4500):  # 25 % of 4 x 4: three by three places
        found = apply(Occlusion(strengths=[25]), frames, 25, row=row)[0, :, :, 0]
        top, left = np.argwhere(found == 0)[0]
        counts[top, left] += 1
    assert np.abs(counts / 4500 - 1 / 9).max() < 0.016  # 3.4 deviations


def test_feature_noise_is_measured_by_the_training_deviation() -> None:
    deviation = np.array([0.0, 1.0, 10.0])
    moments = Moments(np.zeros(3), deviation)
    values = np.full(3, 7.0, np.float32)
    found = np.array(
        [apply(FeatureNoise(strengths=[0.5]), values, 0.5, moments, row=r) for r in range(4000)]
    )
    assert np.allclose(found.mean(0), 7, atol=0.3)
    assert np.allclose(found.std(0), 0.5 * deviation, rtol=0.05)


def test_dropped_features_become_the_training_mean() -> None:
    moments = Moments(np.arange(1000.0), np.ones(1000))
    values = np.full(1000, -1.0, np.float32)
    found = apply(DroppedFeatures(strengths=[25]), values, 25, moments)
    dropped = found != -1
    assert abs(dropped.mean() - 0.25) < 0.045  # three deviations of 1,000 draws
    assert np.array_equal(found[dropped], np.arange(1000.0)[dropped])


@pytest.mark.parametrize(
    "corruption",
    [
        FeatureNoise(strengths=[1], time=0),
        DroppedFeatures(strengths=[100], time=0),
        TrainingMean(time=0),
    ],
)
def test_padding_of_a_sequence_stays_padding(corruption: LoadedCorruption) -> None:
    sequence = np.zeros((5, 2), np.float32)
    sequence[2:] = 3
    strength = corruption.strengths[0]
    found = apply(corruption, sequence, strength, Moments(np.array([8.0, 9.0]), np.ones(2)))
    assert (found[:2] == 0).all()
    assert (found[2:] != 3).all()


def test_missing_is_zero_or_the_mean_of_the_training_rows() -> None:
    array = np.random.default_rng(0).integers(0, 256, size=(200, 2, 3, 3), dtype=np.uint8)
    rows = np.arange(20, 180)
    moments = training_moments(array, rows, time=None)
    assert np.allclose(moments.mean, array[20:180].astype(float).mean(0))
    assert np.allclose(moments.deviation, array[20:180].astype(float).std(0))
    assert (apply(Zeros(), array[0], 1) == 0).all()
    found = apply(TrainingMean(), array[0], 1, moments)
    assert np.array_equal(found, np.rint(array[20:180].astype(float).mean(0)))


def test_moments_of_sequences_count_true_steps_alone() -> None:
    array = np.zeros((100, 6, 2), np.float32)
    generator = np.random.default_rng(0)
    true = []
    for row in range(100):
        length = int(generator.integers(0, 7))
        array[row, 6 - length :] = generator.normal(1e4, 1, size=(length, 2))
        true += list(array[row, 6 - length :].astype(np.float64)) if row >= 10 else []
    found = training_moments(array, np.arange(10, 100), time=0)
    assert np.allclose(found.mean, np.mean(true, axis=0))
    assert np.allclose(found.deviation, np.std(true, axis=0), rtol=1e-6)
    empty = training_moments(np.zeros((4, 6, 2)), np.arange(4), time=0)
    assert (empty.mean == 0).all()
    assert (empty.deviation == 0).all()
    assert empty.mean.shape == found.mean.shape == (1, 2)


def test_time_may_be_any_axis() -> None:
    """As of skeletons (3, T, joints, persons) and inertial signals (6, T)."""
    generator = np.random.default_rng(0)
    array = np.zeros((30, 3, 8, 4, 2), np.float32)
    true = []
    for row in range(30):
        length = int(generator.integers(1, 9))
        array[row, :, :length] = generator.normal(2, 1, size=(3, length, 4, 2))
        true += [array[row, :, step].astype(np.float64) for step in range(length)]
    found = training_moments(array, np.arange(30), time=1)
    assert found.mean.shape == (3, 1, 4, 2)
    assert np.allclose(found.mean[:, 0], np.mean(true, axis=0))
    assert np.allclose(found.deviation[:, 0], np.std(true, axis=0), rtol=1e-6)
    sample = array[0].copy()
    sample[:, 5:] = 0
    mean = apply(TrainingMean(time=1), sample, 1, found)
    assert np.allclose(mean[:, :5], found.mean) and not mean[:, 5:].any()
    noisy = apply(FeatureNoise(strengths=[1], time=1), sample, 1, found)
    assert (noisy[:, :5] != sample[:, :5]).all() and not noisy[:, 5:].any()


@pytest.mark.parametrize(
    ("kind", "strengths"),
    [
        (Occlusion, [120]),
        (Blur, [-1]),
        (Blur, []),
        (Blur, [float("inf")]),
        (Blur, ["ten"]),
        (Blur, 10),
        (JointJitter, [float("nan")]),
    ],
)
def test_strengths_outside_the_range(kind: Any, strengths: Any) -> None:
    with pytest.raises(
        DataError, match=rf"{kind.__name__}.strengths=.*expected a list of one or more"
    ):
        kind(strengths=strengths)
