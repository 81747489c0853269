from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.ntu.augmentation import (
    MIRRORED,
    centre_on_first_spine,
    centre_present_on_first_spine,
    view_skeleton,
    view_video,
)
from datamodules.ntu.groups import NtuVideo, NtuWindows
from datamodules.ntu.windows import ClipAugmentation, lengthen

VIDEO, SKELETON = (10, 16, 24, 3), (3, 20, 25, 2)


def draws(augmentation: ClipAugmentation, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """What both streams draw for many clips."""
    generators = [[np.random.default_rng((5, i)) for i in range(count)] for _ in range(2)]
    video = [augmentation.draw_video(VIDEO, g) for g in generators[0]]
    return np.array(video), np.array(
        [augmentation.draw_skeleton(SKELETON, g) for g in generators[1]]
    )


def test_both_streams_share_window_and_flip() -> None:
    video, skeleton = draws(ClipAugmentation(NtuWindows(flip=0.3)))
    assert np.array_equal(video[:, :2], skeleton[:, :2])
    assert np.array_equal(video[:, -1], skeleton[:, -1])
    place, length = video[:, 0], video[:, 1]
    assert 0.4 < (length < 1).mean() < 0.6
    assert 0.5 <= length.min() < 0.53
    assert place.min() < 0.05
    assert place.max() > 0.95
    assert 0.2 < video[:, -1].mean() < 0.4


def test_released_windows_are_apart_and_the_videos_is_central() -> None:
    video, skeleton = draws(
        ClipAugmentation(NtuWindows(kind="separate"), NtuVideo(crop_place="centre"))
    )
    assert (video[:, 0] == 0.5).all()
    assert abs(np.corrcoef(video[:, 1], skeleton[:, 1])[0, 1]) < 0.15
    assert skeleton[:, 0].std() > 0.2
    assert (video[:, 2:6] == [1, 1, 14, 21]).all()  # 16 x 24, of which 7/8
    assert not video[:, -1].any()
    assert not skeleton[:, -1].any()


@pytest.mark.parametrize(("probability", "uncut", "mean"), [(0.5, 0.5, 0.875), (1.0, 0.0, 0.75)])
def test_share_and_length_of_windows(probability: float, uncut: float, mean: float) -> None:
    """Lengths are uniform in [0.5, 1] where a clip is cut, and 1 elsewhere."""
    _, skeleton = draws(ClipAugmentation(NtuWindows(probability=probability)), 4000)
    assert abs((skeleton[:, 1] == 1).mean() - uncut) < 0.03
    assert abs(skeleton[:, 1].mean() - mean) < 0.01


def test_crops_stay_inside_and_reach_the_borders() -> None:
    video, _ = draws(ClipAugmentation(video=NtuVideo(crop=0.5)))
    assert (video[:, 4:6] == [8, 12]).all()
    assert set(video[:, 2]) == set(range(9))
    assert set(video[:, 3]) == set(range(13))


@pytest.mark.parametrize(
    "switch", [{"windows": NtuWindows(probability=0.0)}, {"video": NtuVideo(crop=1.0)}]
)
def test_each_part_can_be_switched_off(switch: dict[str, Any]) -> None:
    video, _ = draws(ClipAugmentation(**switch), 50)
    if "video" in switch:
        assert (video[:, 2:6] == [0, 0, 16, 24]).all()
    else:
        assert (video[:, 1] == 1).all()


def test_evaluation_sees_the_whole_clip_and_the_centre() -> None:
    video, skeleton = draws(ClipAugmentation(NtuWindows(flip=1.0, kind="separate")).still(), 20)
    assert (video[:, 1:] == [1, 1, 1, 14, 21, 0]).all()
    assert (skeleton[:, 1:] == [1, 0]).all()


def test_windows_of_too_few_frames_are_lengthened() -> None:
    drawn = np.array([[0.2, 0.5, 0], [0.3, 0.9, 0], [0.4, 0.5, 1]])
    longer = lengthen(drawn, np.array([100, 100, 40]), 64)
    assert np.allclose(longer, [[0.2, 0.64, 0], [0.3, 0.9, 0], [0.4, 1.0, 1]])
    assert drawn[0, 1] == 0.5
    assert lengthen(drawn, np.array([0, 1, 64]), 64)[:, 1].tolist() == [1, 1, 1]  # no frames: all


@pytest.mark.parametrize(
    ("total", "frames", "place", "length", "expected"),
    [
        (24, 8, 0.0, 1.0, [0, 3, 6, 9, 13, 16, 19, 23]),  # the released code's test frames
        (8, 8, 0.0, 1.0, list(range(8))),
        (4, 8, 0.0, 1.0, [0, 0, 0, 1, 1, 2, 2, 3]),
        (10, 4, 1.0, 0.4, [6, 7, 8, 9]),
        (10, 4, 0.5, 0.4, [3, 4, 5, 6]),
        (10, 2, 0.0, 0.5, [0, 4]),
    ],
)
def test_frames_of_a_window(
    total: int, frames: int, place: float, length: float, expected: list[int]
) -> None:
    numbers = torch.arange(total, dtype=torch.uint8)[None, :, None, None, None]
    video = numbers.expand(2, total, 4, 4, 3)
    drawn = np.array([[place, length, 0, 0, 4, 4, 0]] * 2)
    seen = view_video(video, drawn, frames=frames, size=4)
    assert seen.shape == (2, frames, 4, 4, 3)
    assert seen[1, :, 0, 0, 0].tolist() == expected


def test_crop_resize_and_flip_of_frames() -> None:
    video = torch.randint(0, 256, (2, 3, 8, 8, 3), dtype=torch.uint8)
    drawn = np.array([[0, 1, 2, 1, 4, 4, 0], [0, 1, 0, 4, 4, 4, 1]])
    seen = view_video(video, drawn, frames=3, size=4)
    assert torch.equal(seen[0], video[0, :, 2:6, 1:5])
    assert torch.equal(seen[1], video[1, :, 0:4, 4:8].flip(2))
    larger = view_video(video, drawn, frames=3, size=8)[0].permute(0, 3, 1, 2)
    plain = F.interpolate(
        video[0, :, 2:6, 1:5].permute(0, 3, 1, 2).float(), size=(8, 8), mode="bilinear"
    )
    assert (larger - plain).abs().max() <= 1


FRAMES = np.array([20, 20])


def test_the_whole_skeleton_at_its_own_length_is_itself() -> None:
    skeleton = torch.randn(2, *SKELETON)
    drawn = np.array([[0.0, 1.0, 0.0]] * 2)
    assert torch.equal(view_skeleton(skeleton, drawn, FRAMES, frames=20), skeleton)


def interpolated(skeleton: Tensor, frames: int) -> Tensor:
    """One linear interpolation of (3, T, 25, 2), as the released code does it."""
    flat = skeleton.permute(0, 2, 3, 1).reshape(1, 150, -1)
    plain = F.interpolate(flat, size=frames, mode="linear", align_corners=False)[0]
    return plain.reshape(3, 25, 2, frames).permute(0, 3, 1, 2)


@pytest.mark.parametrize("frames", [8, 20, 32])
def test_windows_of_a_skeleton_against_interpolate(frames: int) -> None:
    skeleton = torch.randn(2, *SKELETON)
    drawn = np.array([[0.0, 0.5, 0.0], [1.0, 0.6, 0.0]])  # frames 0-9 and 8-19
    seen = view_skeleton(skeleton, drawn, FRAMES, frames=frames)
    assert seen.shape == (2, 3, frames, 25, 2)
    for found, clip, part in ((seen[0], 0, slice(0, 10)), (seen[1], 1, slice(8, 20))):
        assert (found - interpolated(skeleton[clip, :, part], frames)).abs().max() < 1e-4


def test_padding_is_never_looked_at() -> None:
    """Windows lie in the clip's own frames, whatever stands behind them."""
    skeleton = torch.randn(4, *SKELETON)
    lengths = np.array([20, 12, 1, 0])
    for clip, length in enumerate(lengths):
        skeleton[clip, :, length:] = torch.nan
    skeleton[3, :, 0] = 0  # what a skeleton without frames is packed as
    whole = view_skeleton(skeleton, np.array([[0.0, 1.0, 0.0]] * 4), lengths, frames=32)
    for clip, length in enumerate((20, 12, 1)):
        expected = interpolated(skeleton[clip, :, :length], 32)
        assert (whole[clip] - expected).abs().max() < 1e-4
    assert not whole[3].any()
    late = np.array([[1.0, 0.5, 0.0]] * 4)
    seen = view_skeleton(skeleton, late, lengths, frames=16)
    assert seen.isfinite().all()
    assert (seen[1] - interpolated(skeleton[1, :, 6:12], 16)).abs().max() < 1e-4


def test_windows_take_whole_frames_of_the_file() -> None:
    """Every place from the first to the last is as likely, and a window of 64 frames has 64."""
    numbers = torch.arange(300.0)[None, None, :, None, None].expand(500, 3, 300, 25, 2)
    lengths = np.full(500, 103)
    drawn = np.zeros((500, 3))
    drawn[:, 0], drawn[:, 1] = np.random.default_rng(0).random(500), 64 / 103
    seen = view_skeleton(numbers, drawn, lengths, frames=64)[:, 0, :, 0, 0]
    assert torch.equal(seen, seen[:, :1] + torch.arange(64.0))
    assert set(seen[:, 0].tolist()) == set(range(40))
    drawn[:, 1] = 0.999 * 64 / 103
    assert view_skeleton(numbers, drawn, lengths, frames=63)[:, 0, -1, 0, 0].max() == 102


def test_mirrored_skeletons_change_sides() -> None:
    skeleton = torch.randn(1, *SKELETON)
    drawn = np.array([[0.0, 1.0, 1.0]])
    seen = view_skeleton(skeleton, drawn, FRAMES[:1], frames=20)
    assert torch.equal(seen[0, 0, :, 7], -skeleton[0, 0, :, 11])  # hands
    assert torch.equal(seen[0, 1:, :, 22], skeleton[0, 1:, :, 24])  # thumbs
    assert torch.equal(seen[0, 1:, :, 3], skeleton[0, 1:, :, 3])  # the head
    assert torch.equal(view_skeleton(seen, drawn, FRAMES[:1], frames=20), skeleton)
    assert sorted(MIRRORED) == list(range(25))


def test_centring_as_released_against_a_loop() -> None:
    skeleton = torch.randn(2, *SKELETON)
    skeleton[1, ..., 1] = 0  # the second person is absent
    found = centre_on_first_spine(skeleton)
    for clip, frame, joint, person in ((0, 3, 7, 0), (0, 19, 24, 1), (1, 0, 2, 1)):
        spine = skeleton[clip, :, frame, 1, 0]
        expected = skeleton[clip, :, frame, joint, person] - spine
        assert torch.equal(found[clip, :, frame, joint, person], expected)
    assert torch.equal(found[1, :, :, 5, 1], -skeleton[1, :, :, 1, 0])
    kept = centre_present_on_first_spine(skeleton)
    assert torch.equal(kept[0], found[0])
    assert torch.equal(kept[1, ..., 0], found[1, ..., 0])
    assert not kept[1, ..., 1].any()
