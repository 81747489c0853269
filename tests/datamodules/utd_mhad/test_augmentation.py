"""Views of recordings against plain loops, and each switch of the augmentation by itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.utd_mhad.augmentation import (
    resample,
    view_depth,
    view_inertial,
    view_skeleton,
)
from datamodules.utd_mhad.draws import RecordingAugmentation
from datamodules.utd_mhad.groups import (
    UtdMhadDepth,
    UtdMhadInertial,
    UtdMhadSkeleton,
    UtdMhadWindows,
)

DEPTH_SHAPE = (9, 40, 40)
OFF = RecordingAugmentation(
    UtdMhadWindows(probability=0.0),
    UtdMhadSkeleton(frames=5, rotation=0.0, scaling=0.0),
    UtdMhadInertial(steps=7, jitter=0.0, scaling=0.0),
    UtdMhadDepth(frames=4, size=32, crop_place="centre"),
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(augmentation: RecordingAugmentation, seed: int = 0) -> list[np.ndarray]:
    return [
        augmentation.draw_skeleton((3, 9, 20, 1), generator(seed)),
        augmentation.draw_inertial((6, 9), generator(seed)),
        augmentation.draw_depth(DEPTH_SHAPE, generator(seed)),
    ]


def test_resampling_is_linear_between_the_ends_of_the_window() -> None:
    values = torch.randn(3, 2, 10, 4, dtype=torch.float64).float()
    lengths = np.array([10, 7, 2])
    windows = np.array([[0.0, 1.0], [1.0, 0.5], [0.5, 0.6]])
    found = resample(values, lengths, windows, 6)
    for row, (length, (place, part)) in enumerate(zip(lengths, windows, strict=True)):
        start = place * (1 - part) * (length - 1)
        moments = [start + part * (length - 1) * k / 5 for k in range(6)]
        for channel, other in np.ndindex(2, 4):
            line = values[row, channel, :length, other].numpy()
            expected = np.interp(moments, np.arange(length), line)
            assert np.allclose(found[row, channel, :, other], expected, atol=1e-5)


@pytest.mark.parametrize("centre", ["frame", "clip"])
def test_skeletons_are_centred_turned_and_scaled(centre: Any) -> None:
    skeleton = torch.randn(1, 3, 5, 20, 1)
    settings = UtdMhadSkeleton(frames=5, centre=centre)
    view = np.array([[0.0, 1.0, np.pi / 2, 1.1]])
    found = view_skeleton(skeleton, np.array([5]), view, settings)[0, ..., 0]
    for frame, joint in np.ndindex(5, 20):
        origin = skeleton[0, :, frame if centre == "frame" else 0, 2, 0]
        x, y, z = skeleton[0, :, frame, joint, 0] - origin
        expected = 1.1 * torch.tensor([z, y, -x])  # a quarter turn about y
        torch.testing.assert_close(found[:, frame, joint], expected, atol=1e-5, rtol=1e-5)


def test_inertial_signals_are_in_g_and_hundreds_of_degrees() -> None:
    inertial = torch.ones(1, 6, 7) * torch.tensor([1, 2, 3, 100, 200, 300])[:, None]
    view = np.array([[0.0, 1.0, 1.5, *np.arange(42)]])
    found = view_inertial(inertial, np.array([7]), view, OFF.inertial)
    expected = np.array([1, 2, 3, 1, 2, 3])[:, None] * 1.5 + np.arange(42).reshape(6, 7)
    assert np.allclose(found[0], expected, atol=1e-5)


def test_depth_says_what_is_there_how_far_and_how_moved() -> None:
    depth = np.zeros((1, 9, 40, 40), np.int16)
    depth[0, :, 10:20, 10:20] = (2000 + 30 * np.arange(9))[:, None, None]
    view = np.array([[0.0, 1.0, 4, 4]])
    found = view_depth(torch.from_numpy(depth), view, OFF.depth).numpy()[0]
    assert found.shape == (3, 4, 32, 32)
    frames = [0, 3, 5, 8]  # nearest to 0, 2.67, 5.33 and 8
    millimeters = 2000 + 30 * np.array(frames)
    beyond = (millimeters - millimeters.mean()) / 300
    moved = np.diff(beyond, append=beyond[-1:])
    body = np.zeros((32, 32))
    body[6:16, 6:16] = 1
    for k in range(4):
        for plane, value in enumerate((1.0, beyond[k], moved[k])):
            assert np.allclose(found[plane, k], value * body, atol=1e-6)


def test_a_depth_video_without_a_body_is_zero() -> None:
    """As where a corruption puts zeros in its place."""
    nothing = torch.zeros(2, *DEPTH_SHAPE, dtype=torch.int16)
    assert not view_depth(nothing, np.array([[0.0, 1.0, 4, 4]] * 2), OFF.depth).any()


def test_evaluation_takes_the_whole_recording_as_it_is() -> None:
    still = RecordingAugmentation(depth=UtdMhadDepth(size=32)).still()
    skeleton, inertial, depth = drawn(still)
    assert skeleton.tolist() == [0, 1, 0, 1]
    assert inertial[:3].tolist() == [0, 1, 1] and not inertial[3:].any()
    assert depth.tolist() == [0, 1, 4, 4]


@pytest.mark.parametrize(
    ("group", "setting", "changes"),
    [
        ("windows", {"probability": 1.0}, {(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)}),
        ("skeleton", {"rotation": 30.0}, {(0, 2)}),
        ("skeleton", {"scaling": 0.2}, {(0, 3)}),
        ("inertial", {"scaling": 0.2}, {(1, 2)}),
        ("inertial", {"jitter": 0.2}, {(1, 3)}),
        ("depth", {"crop_place": "random"}, {(2, 2), (2, 3)}),
    ],
)
def test_each_switch_changes_what_is_its_own(
    group: str, setting: dict[str, Any], changes: set[tuple[int, int]]
) -> None:
    on = replace(OFF, **{group: replace(getattr(OFF, group), **setting)})
    found = set()
    for modality, (a, b) in enumerate(zip(drawn(OFF, 4), drawn(on, 4), strict=True)):
        found |= {(modality, min(int(place), 3)) for place in np.flatnonzero(a != b)}
    assert found == changes


def test_what_is_drawn_keeps_to_its_bounds_and_one_window_is_for_all() -> None:
    augmentation = RecordingAugmentation(depth=UtdMhadDepth(size=32))
    every = [drawn(augmentation, seed) for seed in range(300)]
    skeleton, inertial, depth = (np.stack(column) for column in zip(*every, strict=True))
    assert np.array_equal(skeleton[:, :2], inertial[:, :2])
    assert np.array_equal(skeleton[:, :2], depth[:, :2])
    for column, low, high in (
        (skeleton[:, 1], 0.8, 1.0),
        (skeleton[:, 2], -np.pi / 6, np.pi / 6),
        (skeleton[:, 3], 0.9, 1.1),
        (inertial[:, 2], 0.9, 1.1),
        (depth[:, 2], 0, 8),
    ):
        spread = high - low
        assert low <= column.min() < low + 0.05 * spread
        assert high - 0.05 * spread < column.max() <= high
    assert inertial[:, 3:].std() == pytest.approx(0.05, rel=0.05)


def test_beyond_the_window_nothing_of_a_modality_says_anything_of_another() -> None:
    augmentation = RecordingAugmentation(
        UtdMhadWindows(probability=1.0), depth=UtdMhadDepth(size=16)
    )
    every = [drawn(augmentation, seed) for seed in range(1000)]
    skeleton, inertial, depth = (np.stack(column) for column in zip(*every, strict=True))
    own = [skeleton[:, :2], skeleton[:, 2:], inertial[:, 2:5], depth[:, 2:]]
    found = np.corrcoef(np.concatenate(own, 1).T)
    assert np.abs(found - np.eye(len(found))).max() < 0.15  # 0.03 is one standard error
