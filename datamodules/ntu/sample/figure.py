"""An articulated person: where the hands are and how the head is held -> the 25 joints of a Kinect.

Legend: F frames. Coordinates of a person in meters: x to the person's left, y up from the floor,
z forward.
"""

from dataclasses import dataclass, field

import numpy as np

from datamodules.formats.skeleton import JOINTS

BASE, MIDDLE, NECK, HEAD, SHOULDERS = 0, 1, 2, 3, 20  # along the spine
LEFT_ARM, RIGHT_ARM = (4, 5, 6, 7, 21, 22), (8, 9, 10, 11, 23, 24)  # shoulder to hand, tip, thumb
LEFT_LEG, RIGHT_LEG = (12, 13, 14, 15), (16, 17, 18, 19)  # hip, knee, ankle, foot


@dataclass(frozen=True)
class Build:
    """What one subject's body is like."""

    height: float = 1.7
    shoulders: float = 0.2  # half of their width
    arms: float = 1.0  # factor on their length


@dataclass(frozen=True)
class Movement:
    """What one person does, F frames."""

    left: np.ndarray  # (F, 3) left wrist, in parts of the height
    right: np.ndarray  # (F, 3) right wrist
    nod: np.ndarray = field(default_factory=lambda: np.zeros(1))  # (F,) head forward, in meters
    shake: np.ndarray = field(default_factory=lambda: np.zeros(1))  # (F,) head sideways
    sway: np.ndarray = field(default_factory=lambda: np.zeros((1, 2)))  # (F, 2) x and z of the hips


def joints_of(build: Build, movement: Movement) -> np.ndarray:
    """Place the joints, (F, 25, 3) in meters."""
    height, frames = build.height, len(movement.right)
    joints = np.zeros((frames, JOINTS, 3))
    joints[:, :, [0, 2]] = np.broadcast_to(movement.sway[:, None], (frames, JOINTS, 2))
    for joint, level in ((BASE, 0.53), (MIDDLE, 0.66), (SHOULDERS, 0.81), (NECK, 0.85)):
        joints[:, joint, 1] = level * height
    joints[:, HEAD] += np.stack(
        np.broadcast_arrays(
            movement.shake, 0.92 * height - 0.7 * np.abs(movement.nod), 0.03 + movement.nod
        ),
        -1,
    )
    for side, leg in ((1, LEFT_LEG), (-1, RIGHT_LEG)):
        for joint, level, forward in zip(
            leg, (0.51, 0.27, 0.05, 0.02), (0, 0.02, 0, 0.1), strict=True
        ):
            joints[:, joint, 1] = level * height
            # the feet stay where they are
            joints[:, joint, [0, 2]] *= level / 0.53
            joints[:, joint] += (side * 0.055 * height, 0, forward)
    for side, arm, hand in ((1, LEFT_ARM, movement.left), (-1, RIGHT_ARM, movement.right)):
        shoulder = joints[:, SHOULDERS] + (side * build.shoulders, -0.01 * height, 0)
        wrist = joints[:, BASE] * (1, 0, 1) + hand * height
        joints[:, arm] = _arm(shoulder, wrist, 0.175 * height * build.arms, side)
    return joints


def _arm(shoulder: np.ndarray, wrist: np.ndarray, length: float, side: int) -> np.ndarray:
    """(F, 6, 3): the elbow bends down and outwards, upper arm and forearm are `length` long."""
    reach = wrist - shoulder
    distance = np.linalg.norm(reach, axis=1, keepdims=True).clip(0.05, 1.99 * length)
    along = reach / np.linalg.norm(reach, axis=1, keepdims=True)
    wrist = shoulder + along * distance
    out = np.array([0.6 * side, -1.0, -0.3])
    out = out - (along @ out)[:, None] * along
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    elbow = (shoulder + wrist) / 2 + out * np.sqrt(length**2 - distance**2 / 4)
    forearm = (wrist - elbow) / length
    hand, tip = wrist + 0.07 * forearm, wrist + 0.15 * forearm
    thumb = wrist + 0.09 * forearm + np.array([-0.03 * side, 0.02, 0.0])
    return np.stack([shoulder, elbow, wrist, hand, tip, thumb], 1)


def stand(joints: np.ndarray, place: tuple[float, float], yaw: float) -> np.ndarray:
    """Person's coordinates -> the room's: x to the right, y up, z away from the middle camera.

    Args:
        joints: (F, 25, 3).
        place: x and z on the floor.
        yaw: radians; 0 faces the middle camera, pi / 2 the right.
    """
    left = np.array([np.cos(yaw), 0, np.sin(yaw)])
    forward = np.array([np.sin(yaw), 0, -np.cos(yaw)])
    turned = joints[..., :1] * left + joints[..., 2:] * forward
    turned[..., 1] = joints[..., 1]
    return turned + np.array([place[0], 0, place[1]])
