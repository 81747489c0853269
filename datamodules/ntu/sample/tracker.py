"""What a Kinect makes of persons: joints with errors, bodies that are none, persons lost and found.

Legend: F frames.
"""

import numpy as np

from datamodules.formats.skeleton import JOINTS
from datamodules.ntu.sample.actions import FRAMES, JITTER, LASTING

Frame = list[tuple[int, np.ndarray]]  # the bodies of a frame: id and (25, 3) joints

_CHAIR, _LOST, _RENAMED = 0.05, 0.03, 0.03  # part of the clips
_FIRST_ID = 72057594037927936  # 2 ** 56, as the real tracker's
_JUMPS = (6.0, 12.0)  # times the usual jitter, where a skeleton is spoilt


def track(persons: list[np.ndarray], spoilt: bool, g: np.random.Generator) -> list[Frame]:
    """Find the persons in each frame.

    Args:
        persons: (F, 25, 3) of each, in the camera's coordinates.
        spoilt: the joints jump about, those of the arms and the head most.
        g: of the errors.
    """
    jitter = JITTER * (g.uniform(*_JUMPS) if spoilt else 1.0)
    ids = _FIRST_ID + g.choice(10_000, len(persons) + 2, replace=False)
    frames: list[Frame] = [[] for _ in range(FRAMES)]
    chair, lost, renamed = g.random(3) < (_CHAIR, _LOST, _RENAMED)
    if chair:  # first in the file, wider than high, and it never moves
        joints = persons[0][0].mean(0) + g.normal(0, 1, (JOINTS, 3)) * (0.3, 0.12, 0.1)
        for frame in frames[: g.integers(3, FRAMES)]:
            frame.append((int(ids[-1]), joints + g.normal(0, 0.003, (JOINTS, 3))))
    gap = g.integers(3, FRAMES - 5)
    for number, joints in enumerate(persons):
        found = joints + g.normal(0, LASTING, (JOINTS, 3)) + _smooth(g) * jitter
        for time, frame in enumerate(frames):
            if lost and not number and gap <= time < gap + 3:
                continue
            after = renamed and not number and time >= gap
            frame.append((int(ids[-2] if after else ids[number]), found[time]))
    return frames


def _smooth(g: np.random.Generator) -> np.ndarray:
    """(F, 25, 3) noise that lasts for a frame or two."""
    noise = g.standard_normal((FRAMES + 1, JOINTS, 3))
    return (noise[1:] + 0.5 * noise[:-1]) / np.sqrt(1.25)
