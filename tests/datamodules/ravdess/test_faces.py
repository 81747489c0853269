from pathlib import Path

import numpy as np
import pytest

from datamodules.formats.openface import Tracking
from datamodules.packed.errors import DataError
from datamodules.ravdess.faces import check_lengths, choose_frames, crop_face, face_boxes

CSV = Path("clip.csv")
FRAME = (90, 160)


def tracking(boxes: list[tuple[float, ...] | None]) -> Tracking:
    """One row a frame; `None` is a frame without a face."""
    rows = len(boxes)
    points = np.full((rows, 68, 2), np.nan)
    for row, box in enumerate(boxes):
        if box is not None:
            points[row] = (np.array(box[:2]) + np.array(box[2:])) / 2
            points[row, 3], points[row, 40] = box[:2], box[2:]
    good = np.array([box is not None for box in boxes])
    return Tracking(np.arange(1, rows + 1), good, points, np.zeros((rows, 0)))


def test_consecutive_frames_come_from_the_middle() -> None:
    assert choose_frames(122, 30, "consecutive") == list(range(46, 76))
    assert choose_frames(30, 30, "consecutive") == list(range(30))


def test_spread_frames_cover_the_clip() -> None:
    assert choose_frames(120, 30, "spread") == list(range(0, 120, 4))
    assert choose_frames(20, 8, "spread") == [0, 2, 5, 7, 10, 12, 15, 17]


def test_box_is_the_smallest_around_the_landmarks() -> None:
    found, borrowed = face_boxes(tracking([(10.2, 20.7, 50.1, 60.9)]), [0], FRAME, CSV)
    assert found.tolist() == [[10, 20, 51, 61]]
    assert borrowed == 0


def test_frames_without_a_face_borrow_the_nearest() -> None:
    boxes = [None, (10, 10, 30, 30), None, None, (50, 50, 70, 70), (5, 5, 5, 5)]
    found, borrowed = face_boxes(tracking(boxes), range(6), FRAME, CSV)
    assert found[:, 0].tolist() == [10, 10, 10, 50, 50, 50]
    assert borrowed == 4


def test_rows_belong_to_frames_by_number() -> None:
    whole = tracking([(0, 0, 9, 9), (10, 10, 19, 19), (20, 20, 29, 29)])
    part = Tracking(whole.frame[1:], whole.good[1:], whole.landmarks[1:], whole.action_units[1:])
    found, borrowed = face_boxes(part, [1, 2], FRAME, CSV)
    assert found[:, 0].tolist() == [10, 20]
    assert borrowed == 0


def test_box_is_cut_at_the_border() -> None:
    found, _ = face_boxes(tracking([(-20, -3, 50, 120)]), [0], FRAME, CSV)
    assert found.tolist() == [[0, 0, 50, 90]]


@pytest.mark.parametrize("box", [(300, 20, 400, 60), (-50, -50, -5, -5), (40, 40, 40, 40), None])
def test_no_face_in_the_frame(box: tuple[float, ...] | None) -> None:
    with pytest.raises(DataError, match=r"clip\.csv: expected a face inside the 160x90 picture"):
        face_boxes(tracking([box, box]), [0, 1], FRAME, CSV)


def test_lengths() -> None:
    rows = tracking([(0, 0, 9, 9)] * 20)
    assert check_lengths(rows, 20, CSV) == ""
    assert check_lengths(rows, 22, CSV) == "landmarks for 20 frames, video with 22"
    with pytest.raises(DataError, match="30 frames of its video, found frames up to 20"):
        check_lengths(rows, 30, CSV)


def test_crop_of_the_wanted_size_is_the_picture_itself() -> None:
    image = np.random.default_rng(0).integers(0, 256, (2, 90, 160, 3), np.uint8)
    boxes = np.array([[10, 20, 42, 52], [100, 50, 132, 82]])
    one, other = (
        crop_face(i, b, size=32, source="frame") for i, b in zip(image, boxes, strict=True)
    )
    assert np.array_equal(one, image[0, 20:52, 10:42])
    assert np.array_equal(other, image[1, 50:82, 100:132])


def test_crop_is_reduced_by_averaging() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 90, 160, 3), np.uint8)
    found = crop_face(image[0], np.array([8, 10, 72, 74]), size=32, source="frame")
    blocks = image[0, 10:74, 8:72].reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(found - blocks).max() <= 0.5


def test_crop_is_enlarged_linearly() -> None:
    ramp = np.broadcast_to(np.arange(0, 160, dtype=np.uint8)[:, None], (90, 160, 3))
    found = crop_face(ramp, np.array([40, 10, 56, 26]), size=32, source="frame")
    centres = 40 + (np.arange(32) + 0.5) / 2 - 0.5
    assert np.abs(found[5, :, 0] - centres.clip(40, 55)).max() <= 0.5


def test_squeezed_shrinks_the_whole_picture_first() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 80, 160, 3), np.uint8)
    found = crop_face(image[0], np.array([40, 20, 80, 60]), size=40, source="squeezed")
    squeezed = image[0].reshape(40, 2, 40, 4, 3).mean((1, 3))  # 40x40: aspect ratio lost
    face = squeezed[10:30, 10:20]  # 20x10 pixels, enlarged to 40x40
    assert np.abs(found[1::2, 2::4].mean() - face.mean()) < 3
    rows = np.arange(40) // 2
    columns = np.arange(40) // 4
    nearest = face[rows][:, columns]
    assert np.abs(found - nearest).mean() < np.abs(found - nearest[::-1]).mean() / 2
