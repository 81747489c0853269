"""Faces: found in a photograph, followed from frame to frame, smoothed."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datamodules.packed.errors import DataError
from datamodules.ravdess.detection import follow, haar, smooth, yunet
from tests.own_clips import EYES, MOUTH, portrait

NOBODY = np.zeros((0, 4))


def box(left: float, top: float, side: float) -> np.ndarray:
    return np.array([left, top, left + side, top + side], float)


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_the_face_of_a_photograph(scale: float) -> None:
    """Eyes and mouth lie in the box, and the box is no larger than what lies between the ears."""
    image = portrait(scale)
    (left, top, right, bottom), *others = haar()(image) / scale
    assert not others
    for x, y in (*EYES, MOUTH):
        assert left < x < right and top < y < bottom
    assert 120 < right - left < 230 and 120 < bottom - top < 260


def test_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    assert haar()(noise).shape == (0, 4)


def test_the_larger_of_two_that_stay_is_followed() -> None:
    """They are listed in another order in every second frame, and a third is there once."""
    large, small = (box(10, 10, 40), box(100, 20, 20))
    frames = [np.stack([large + t, small - t][:: (-1) ** t]) for t in range(6)]
    frames[2] = np.concatenate([frames[2], [box(200, 0, 90)]])
    found = follow(frames)
    assert found is not None and found.others == 1
    assert found.boxes[:, 0].tolist() == [11, 11.5, 12, 13, 13.5, 14]  # means of 10 + t
    assert np.allclose(found.boxes[:, 2] - found.boxes[:, 0], 40)


def test_a_smaller_face_that_stays_wins_over_a_larger_one_that_goes() -> None:
    stays, goes = box(0, 0, 20), box(50, 50, 30)
    frames = [np.stack([stays, goes]) if t < 4 else stays[None] for t in range(10)]
    found = follow(frames)
    assert found is not None and np.allclose(found.boxes, stays) and found.others == 1


def test_a_face_in_few_frames_is_none() -> None:
    assert follow([box(0, 0, 20)[None], *[NOBODY] * 9]) is None
    assert follow([NOBODY] * 3) is None


def test_frames_without_the_face_stay_without_it() -> None:
    frames = [box(t, 0, 20)[None] if t != 3 else NOBODY for t in range(6)]
    found = follow(frames)
    assert found is not None
    assert np.isnan(found.boxes[3]).all() and not np.isnan(found.boxes[[0, 1, 2, 4, 5]]).any()


def test_smoothing_is_the_mean_of_five_neighbors_that_are_there() -> None:
    boxes = np.random.default_rng(0).uniform(0, 9, (9, 4))
    boxes[4] = np.nan
    found = smooth(boxes)
    for number in (0, 1, 2, 3, 5, 8):
        near = [boxes[i] for i in range(max(number - 2, 0), min(number + 3, 9)) if i != 4]
        assert np.allclose(found[number], np.mean(near, axis=0))


def test_a_model_that_is_none_of_yunet(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"no model")
    with pytest.raises(DataError, match=r"model.onnx: expected a model of YuNet that OpenCV reads"):
        yunet(model)


def test_boxes_of_yunet_are_in_the_frames_own_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of 1280x960 is searched at half its size; the model itself is a stand-in."""

    class Stub:
        size = (0, 0)

        def setInputSize(self, size: tuple[int, int]) -> None:
            self.size = size

        def detect(self, image: np.ndarray) -> tuple[int, Any]:
            assert image.shape[1::-1] == self.size or self.size == (0, 0)
            return 1, np.array([[100, 50, 40, 60, *[0] * 10, 0.9]], np.float32)

    stub = Stub()
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *args, **options: stub)
    (found,) = yunet(Path("model.onnx"))(np.zeros((960, 1280, 3), np.uint8))
    assert stub.size == (640, 480)
    assert found[[0, 2, 3]].tolist() == [200, 280, 220]
    assert 100 < found[1] < 160  # without the forehead
