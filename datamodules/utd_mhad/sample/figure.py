"""A movement -> the 20 joints of a Kinect v1, and what a sensor on a limb measures.

Legend: S moments. Coordinates as in `actions.py`, here in meters.
"""

import numpy as np

from datamodules.formats.utd_mhad import JOINTS
from datamodules.utd_mhad.sample.actions import Movement

SPINE_LEVELS = {0: 0.93, 1: 0.82, 2: 0.62, 3: 0.56}  # head, shoulder centre, spine, hip centre
ARMS = {1: (8, 9, 10, 11), -1: (4, 5, 6, 7)}  # right, left: shoulder, elbow, wrist, hand
LEGS = {1: (16, 17, 18, 19), -1: (12, 13, 14, 15)}  # hip, knee, ankle, foot
GRAVITY = 9.81


def joints_of(height: float, movement: Movement) -> np.ndarray:
    """Place the joints, (S, 20, 3); the floor is at y = 0."""
    moments = len(movement.drop)
    joints = np.zeros((moments, JOINTS, 3))
    sunk = movement.drop[:, None] * (0, 1, 0)
    for joint, level in SPINE_LEVELS.items():
        joints[:, joint] = (0, level, 0) - sunk
    for number, (side, hand) in enumerate(((1, movement.right), (-1, movement.left))):
        shoulder = joints[:, 1] + (side * 0.1, -0.04, 0)
        elbow, wrist = _bent(shoulder, hand - sunk, 0.17, np.array([0.5 * side, -1.0, 0.2]))
        joints[:, ARMS[side][:3]] = np.stack([shoulder, elbow, wrist], 1)
        joints[:, ARMS[side][3]] = wrist + 0.25 * (wrist - elbow)
        hip = joints[:, 3] + (side * 0.05, -0.04, 0)
        lift = movement.lift[:, number, None] * (0, 1, -0.3)
        ankle = np.array([side * 0.06, 0.04, 0]) + lift
        knee, ankle = _bent(hip, ankle, 0.245, np.array([0.1 * side, 0, -1.0]))
        joints[:, LEGS[side][:3]] = np.stack([hip, knee, ankle], 1)
        joints[:, LEGS[side][3]] = ankle + np.array([0.02 * side, -0.03, -0.06])
    return joints * height


def _bent(
    start: np.ndarray, goal: np.ndarray, length: float, outwards: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint, (S, 3) each, of two bones of a length that reach for a goal."""
    reach = goal - start
    far = np.linalg.norm(reach, axis=1, keepdims=True)
    along = reach / far.clip(1e-6)
    far = far.clip(0.1 * length, 1.99 * length)
    side = outwards - (along @ outwards)[:, None] * along
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return start + along * far / 2 + side * np.sqrt(length**2 - far**2 / 4), start + along * far


def measured(upper: np.ndarray, lower: np.ndarray, rate: float, mounted: float = 0.0) -> np.ndarray:
    """What a sensor at the lower end of a limb measures, (S, 6): g, and degrees a second.

    Its first axis lies along the limb; its second is level, if it is not turned about the first. It
    feels gravity as an upward acceleration.

    Args:
        upper: (S, 3) joint at the limb's upper end, in meters.
        lower: (S, 3) the other one.
        rate: moments a second.
        mounted: radians, by which it is turned about the limb.
    """
    first = _unit(lower - upper)
    level = _unit(np.cross(first, (0.0, 0.0, 1.0)))
    second = np.cos(mounted) * level + np.sin(mounted) * np.cross(first, level)
    axes = np.stack([first, second, np.cross(first, second)], 1)  # (S, axis, 3)
    felt = np.gradient(np.gradient(lower, axis=0), axis=0) * rate**2 / GRAVITY + (0, 1, 0)
    change = np.gradient(axes, axis=0) * rate  # of each axis, a second
    # Seen by the sensor, the change of one axis along another one is a turn about the third.
    turns = [(change[:, a] * axes[:, b]).sum(1) for a, b in ((1, 2), (2, 0), (0, 1))]
    return np.concatenate(
        [np.einsum("sax,sx->sa", axes, felt), np.rad2deg(np.stack(turns, 1))], axis=1
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
