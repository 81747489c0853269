"""One rendered UTD-MHAD recording: a subject acts before a depth camera, with a sensor on.

Legend: T frames, N samples of the sensor.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from datamodules.formats.utd_mhad import HALF, JOINTS
from datamodules.formats.utd_mhad_name import ACTIONS, RecordingName
from datamodules.utd_mhad.sample.actions import ON_THIGH, Style, act
from datamodules.utd_mhad.sample.figure import ARMS, LEGS, joints_of, measured

FRAME_RATE, SENSOR_RATE = 30.0, 50.0  # a second
FOCAL = 142.0  # pixels, of frames of 120 x 160
SPOILT = 0.1  # part of the recordings whose skeleton, sensor or depth is spoilt, one at most
_LIMBS = (  # joints, width in meters
    *((LEGS[side][:3], 0.13) for side in (1, -1)),
    *((ARMS[side], 0.09) for side in (1, -1)),
    ((1, 2, 3), 0.3),
    ((0, 1), 0.1),
    ((0, 0), 0.2),
)


@dataclass(frozen=True)
class Recording:
    """The three arrays of a recording, as the data set's files have them."""

    skeleton: np.ndarray  # (20, 3, T) float64, meters
    inertial: np.ndarray  # (N, 6) float64, g and degrees a second
    depth: np.ndarray  # (120, 160, T) uint16, millimeters


def perform(name: RecordingName, seed: int) -> Recording:
    """Render one recording; the same name and seed always give the same."""
    body = np.random.default_rng((seed, 1, name.subject))
    height, yaw_usual = body.uniform(1.55, 1.85), body.normal(0, 0.1)
    g = np.random.default_rng((seed, 2, name.action, name.subject, name.trial))
    action, style = ACTIONS[name.label], Style.draw(g)
    seconds = g.uniform(1.3, 1.9)
    yaw = yaw_usual + g.normal(0, 0.1)
    place = np.array([g.normal(0, 0.08), -1.05, g.uniform(2.6, 2.9)])
    spoilt = ("skeleton", "inertial", "depth")[g.integers(3)] if g.random() < SPOILT else ""

    def at(rate: float) -> np.ndarray:
        time = np.linspace(0, 1, round(seconds * rate))
        return joints_of(height, act(action, time, style))

    joints = _turned(at(FRAME_RATE), yaw) + place
    limb = LEGS[1] if action in ON_THIGH else ARMS[1][1:]
    worn = at(SENSOR_RATE)[:, limb[:2]]
    noise = (10.0 if spoilt == "inertial" else 1.0) * np.repeat([0.03, 3.0], 3)
    # Strapped on at any angle: it tells what moves how fast, but hardly which way.
    inertial = measured(worn[:, 0], worn[:, 1], SENSOR_RATE, g.uniform(-np.pi, np.pi))
    inertial += g.normal(0, 1, inertial.shape) * noise
    error = 0.08 if spoilt == "skeleton" else 0.008
    found = joints + g.normal(0, error, joints.shape) + g.normal(0, 0.01, (JOINTS, 3))
    return Recording(found.transpose(1, 2, 0), inertial, _film(joints, spoilt == "depth", g))


def _turned(points: np.ndarray, yaw: float) -> np.ndarray:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return points @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def _film(joints: np.ndarray, spoilt: bool, g: np.random.Generator) -> np.ndarray:
    """Draw limbs from the farthest to the nearest; spoilt, most of the surface is not seen."""
    frames = np.stack([_drawn(frame) for frame in joints], 2)  # (120, 160, T)
    lost = 0.8 if spoilt else 0.02
    seen = g.random(frames.shape, dtype=np.float32) >= lost
    return np.where(seen, frames, 0).astype(np.uint16)


def _drawn(joints: np.ndarray) -> np.ndarray:
    """(120, 160) uint16 millimeters of one frame."""
    import cv2

    frame = np.zeros(HALF, np.uint16)
    pixels = joints[:, :2] / joints[:, 2:] * (FOCAL, -FOCAL) + (HALF[1] / 2, HALF[0] / 2)
    pieces = [(*pair, width) for limb, width in _LIMBS for pair in pairwise(limb)]
    for one, other, width in sorted(pieces, key=lambda p: -joints[[p[0], p[1]], 2].mean()):
        away = joints[[one, other], 2].mean()
        ends = np.round(pixels[[one, other]]).astype(int).tolist()
        thick = max(round(width * FOCAL / away), 1)
        cv2.line(frame, ends[0], ends[1], round(1000 * away - 300 * width), thick)
    return frame
