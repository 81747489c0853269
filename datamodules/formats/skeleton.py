"""NTU RGB+D `.skeleton` files: the bodies that a Kinect v2 saw, frame by frame, as text.

frames
bodies in this frame                      for every frame
10 fields of the body, its id first     for every body
25
12 fields: x y z in meters, ...       for every joint
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.formats.words import Words

JOINTS = 25
_BODY, _JOINT = 10, 12  # fields
_BODY_WORDS = _BODY + 1 + JOINTS * _JOINT


@dataclass(frozen=True)
class Bodies:
    """All bodies of one clip, B of them, in the order of the file."""

    frames: int  # of the clip, also those without a body
    frame: np.ndarray  # (B,) int: in which frame, from 0
    id: np.ndarray  # (B,) int64: the tracker's name for who it is
    joints: np.ndarray  # (B, 25, 3) float32: x, y, z in meters before the camera


def read_skeleton(path: Path) -> Bodies:
    """Read one file.

    Raises:
        DataError: the file is empty, cut off or goes on too long, a number of joints is not 25, a
            line has too many or too few fields, or a word is no number.
    """
    words = Words(path)
    frames = words.count(0, "the number of frames")
    frame, first, heads = _find_bodies(words, frames)
    joint = first[:, None] + _BODY + 1 + np.arange(JOINTS) * _JOINT  # (B, 25)
    words.check_lines(np.concatenate([[0], heads, first, first + _BODY, joint.ravel()]))
    words.check_numbers()
    ids = [words.count(word, "the id of a body") for word in first.tolist()]
    positions = words.numbers((joint[..., None] + np.arange(3)).ravel())
    with np.errstate(
        over="ignore"
    ):  # what float32 cannot hold becomes infinite, as the file may say
        joints = positions.reshape(-1, JOINTS, 3).astype(np.float32)
    return Bodies(frames, frame, np.array(ids, np.int64), joints)


def _find_bodies(words: Words, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame and first word of every body, (B,) each, and the word that heads every frame."""
    found: list[tuple[int, int]] = []
    heads: list[int] = []
    word = 1
    for number in range(frames):
        where = f"frame {number + 1} of {frames}"
        bodies = words.count(word, f"the number of bodies in {where}")
        heads.append(word)
        word += 1
        for _ in range(bodies):
            expected = f"a body of {JOINTS} joints in {where}"
            if words.count(word + _BODY, expected) != JOINTS:
                raise words.wrong(word + _BODY, expected)
            found.append((number, word))
            word += _BODY_WORDS
            if word > len(words):
                raise words.cut_off(expected)
    if word < len(words):
        raise words.wrong(word, f"the end after {frames} frames")
    frame, first = np.array(found, np.int64).reshape(-1, 2).T
    return frame, first, np.array(heads, np.int64)
