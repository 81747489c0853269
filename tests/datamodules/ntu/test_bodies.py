import numpy as np

from datamodules.formats.skeleton import Bodies
from datamodules.ntu.bodies import by_motion, in_file_order

G = np.random.default_rng(0)
UPRIGHT = G.normal(0, 1, (25, 3)) * (0.2, 0.5, 0.1) + (0, 0, 3)


def bodies(frames: int, *tracks: tuple[int, list[int], np.ndarray]) -> Bodies:
    """Tracks (id, frames, (frames, 25, 3) or (25, 3)), each frame in the order of the tracks."""
    rows = [
        (frame, place, number, np.broadcast_to(joints, (len(seen), 25, 3))[i])
        for place, (number, seen, joints) in enumerate(tracks)
        for i, frame in enumerate(seen)
    ]
    rows.sort(key=lambda row: row[:2])
    return Bodies(
        frames,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.float32).reshape(-1, 25, 3),
    )


def moving(frames: int, amount: float) -> np.ndarray:
    return UPRIGHT + amount * np.sin(np.arange(frames))[:, None, None]


def test_file_order_takes_the_first_two_of_each_frame() -> None:
    one, two, three = (UPRIGHT + shift for shift in (0, 1, 2))
    found, beyond = in_file_order(
        bodies(4, (7, [0, 1], one), (8, [0, 1, 3], two), (9, [1, 3], three))
    )
    expected = np.zeros((4, 2, 25, 3))
    expected[0], expected[1] = [one, two], [one, two]
    expected[3] = [two, three]  # the first one is gone, so they move up
    assert np.allclose(found, expected, atol=1e-6)
    assert beyond == 1
    assert in_file_order(bodies(2, (7, [0], one)))[1] == 0


def test_motion_puts_the_one_who_moves_more_first() -> None:
    every = list(range(10))
    quiet, lively = moving(10, 0.01), moving(10, 0.1)
    found, left_out = by_motion(bodies(10, (7, every, quiet), (8, every, lively)))
    assert np.allclose(found, np.stack([lively, quiet], 1), atol=1e-6)
    assert left_out == 0


def test_motion_leaves_out_what_is_no_person() -> None:
    every = list(range(20))
    person = moving(20, 0.05)
    chair = UPRIGHT * (4, 0.5, 1)
    glimpse = moving(1, 0) + 5
    found, left_out = by_motion(
        bodies(20, (1, every, chair), (5, [9], glimpse), (7, every, person))
    )
    assert np.allclose(found[:, 0], person, atol=1e-6)
    assert not found[:, 1].any()
    assert left_out == 2
    assert np.allclose(
        in_file_order(bodies(20, (1, every, chair), (7, every, person)))[0][:, 0], chair
    )


def test_motion_keeps_a_body_that_is_alone_whatever_it_looks_like() -> None:
    lying = UPRIGHT * (4, 0.5, 1)  # one who has fallen down
    found, left_out = by_motion(bodies(20, (1, list(range(20)), lying)))
    assert np.allclose(found[:, 0], lying, atol=1e-6)
    assert left_out == 0


def test_motion_takes_the_two_who_move_most_of_three() -> None:
    every = list(range(10))
    tracks = [(i, every, moving(10, amount)) for i, amount in enumerate((0.05, 0.01, 0.1))]
    found, left_out = by_motion(bodies(10, *tracks))
    assert np.allclose(found, np.stack([tracks[2][2], tracks[0][2]], 1), atol=1e-6)
    assert left_out == 1


def test_motion_follows_a_person_who_got_a_new_id_and_fills_the_gap() -> None:
    first, second = moving(4, 0.1), moving(5, 0.05) + 1
    found, left_out = by_motion(bodies(12, (3, [0, 1, 2, 3], first), (4, [6, 7, 8, 9, 10], second)))
    assert not found[:, 1].any()
    assert left_out == 0
    assert np.allclose(found[:4, 0], first, atol=1e-6)
    assert np.allclose(found[6:11, 0], second, atol=1e-6)
    assert np.allclose(found[4, 0], first[3] * 2 / 3 + second[0] / 3, atol=1e-5)
    assert np.allclose(found[5, 0], first[3] / 3 + second[0] * 2 / 3, atol=1e-5)
    assert not found[11].any()  # nothing is made up beyond what was seen
