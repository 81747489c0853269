import hashlib
from pathlib import Path

import numpy as np
import pytest

from datamodules.formats.utd_mhad import read_depth, read_inertial, read_joints
from datamodules.formats.utd_mhad_name import ACTIONS, RecordingName, parse_recording_name
from datamodules.utd_mhad.sample.actions import CHOSEN, LABELS, Style, act
from datamodules.utd_mhad.sample.figure import ARMS, LEGS, joints_of, measured
from datamodules.utd_mhad.sample.performance import FOCAL, perform
from tests.utd_mhad_data import SAMPLES

STYLE = Style(begin=0.0, end=1.0, cycles=2.0, reach=1.0, stray=np.zeros(3))


def name(action: str, subject: int = 1, trial: int = 1) -> RecordingName:
    return RecordingName(ACTIONS.index(action) + 1, subject, trial)


def test_layout_is_that_of_the_real_data(utd_raw: Path) -> None:
    files = sorted(utd_raw.rglob("*.mat"))
    found = [parse_recording_name(path) for path in files]
    assert len(found) == 3 * SAMPLES
    assert {recording.label for recording, _ in found} == set(LABELS)
    assert {recording.subject for recording, _ in found} == set(range(1, 9))
    joints = read_joints(utd_raw / "Skeleton" / "a1_s1_t1_skeleton.mat")
    depth = read_depth(utd_raw / "Depth" / "a1_s1_t1_depth.mat")
    assert joints.shape[2] == depth.shape[2]  # they start and end together
    inertial = read_inertial(utd_raw / "Inertial" / "a1_s1_t1_inertial.mat")
    assert len(inertial) / joints.shape[2] == pytest.approx(50 / 30, rel=0.03)


def test_the_same_arrays_for_the_same_seed() -> None:
    def digest(which: RecordingName, seed: int) -> str:
        recording = perform(which, seed)
        parts = (recording.skeleton, recording.inertial, recording.depth)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

    assert digest(name("wave"), 0) == digest(name("wave"), 0)
    others = {digest(name("wave"), 1), digest(name("wave", 2), 0), digest(name("wave", 1, 2), 0)}
    assert len(others | {digest(name("wave"), 0)}) == 4


def test_joints_stand_on_the_drawn_figure() -> None:
    recording = perform(name("push", subject=3), 0)
    middle = recording.skeleton.shape[2] // 2
    for joint in (0, 2, 13, 17):  # head, spine, knees
        x, y, z = recording.skeleton[joint, :, middle]
        column, row = round(x / z * FOCAL + 80), round(-y / z * FOCAL + 60)
        there = recording.depth[row - 1 : row + 2, column - 1 : column + 2, middle]
        assert there.any()
        assert there[there > 0].mean() == pytest.approx(1000 * z, abs=150)


def test_arms_and_legs_keep_their_length() -> None:
    for action in CHOSEN:
        joints = joints_of(1.8, act(action, np.linspace(0, 1, 40), STYLE))
        for limbs, length in ((ARMS, 0.17), (LEGS, 0.245)):
            for first, second, third, _ in limbs.values():
                for a, b in ((first, second), (second, third)):
                    sizes = np.linalg.norm(joints[:, a] - joints[:, b], axis=1)
                    assert np.allclose(sizes, 1.8 * length)


def test_a_sensor_at_rest_feels_gravity_and_one_that_turns_its_rate() -> None:
    upper = np.tile([0.0, 1.0, 2.0], (50, 1))
    still = measured(upper, upper - (0, 0.3, 0), 50.0)
    assert np.allclose(still, [-1, 0, 0, 0, 0, 0])
    angle = np.deg2rad(90) * np.arange(50) / 50  # 90 degrees a second, in the camera's plane
    lower = upper + 0.3 * np.stack([np.sin(angle), -np.cos(angle), 0 * angle], 1)
    turning = measured(upper, lower, 50.0)
    assert np.allclose(turning[1:-1, 3:5], 0, atol=1e-6)
    assert np.allclose(np.abs(turning[1:-1, 5]), 90, rtol=1e-3)
    inwards = 0.3 * np.deg2rad(90) ** 2 / 9.81  # g, towards the upper joint
    felt = turning[3:-3, 0] + np.cos(angle[3:-3])
    assert np.allclose(felt, -inwards, rtol=1e-2)


def test_mirrored_actions_are_one_motion_the_other_way() -> None:
    time = np.linspace(0, 1, 41)
    left, right = (act(f"swipe {side}", time, STYLE).right for side in ("left", "right"))
    assert np.allclose(left, right[::-1])
    one, other = (
        act(f"draw circle {way}", time, STYLE).right for way in ("clockwise", "counter-clockwise")
    )
    assert np.allclose(one, other[::-1])
