"""The bodies of a clip -> two persons over time.

Legend: F frames of the clip, B bodies, 25 joints.
"""

import numpy as np

from datamodules.formats.skeleton import JOINTS, Bodies

PERSONS = 2
# A tracked body that is hardly there, or mostly wider than it is high, is a chair or a reflection.
_SHORTEST = 0.1  # of the clip's frames
_WIDEST, _MOSTLY = 0.8, 0.7  # width to height; part of its frames


def in_file_order(bodies: Bodies) -> tuple[np.ndarray, int]:
    """Take the first two bodies of each frame as they stand in the file (released code).

    Returns:
        (F, 2, 25, 3), zero where nobody is; and how many bodies the fullest frame has beyond two.
    """
    persons = np.zeros((bodies.frames, PERSONS, JOINTS, 3), np.float32)
    begin = np.searchsorted(bodies.frame, bodies.frame)
    place = np.arange(len(bodies.frame)) - begin  # within its frame
    seen = place < PERSONS
    persons[bodies.frame[seen], place[seen]] = bodies.joints[seen]
    return persons, max(int(place.max(initial=0)) + 1 - PERSONS, 0)


def by_motion(bodies: Bodies) -> tuple[np.ndarray, int]:
    """Follow bodies by their id, and take the two that move most; the first moves more.

    A body that is seen in less than a tenth of the clip, or mostly wider than high, is left out if
    another one remains. The tracker gives a person whom it lost a new id: a body that is never seen
    together with one that moves more continues it. Frames that a person misses in between are
    filled linearly.

    Returns:
        (F, 2, 25, 3), zero where nobody is; and how many bodies were left out.
    """
    tracks = {int(number): np.flatnonzero(bodies.id == number) for number in np.unique(bodies.id)}
    motion = {number: _motion(bodies.joints[rows]) for number, rows in tracks.items()}
    ranked = sorted(tracks, key=lambda number: -motion[number])
    likely = [number for number in ranked if _is_person(bodies, tracks[number])] or ranked[:1]
    persons = np.zeros((bodies.frames, PERSONS, JOINTS, 3), np.float32)
    seen = np.zeros((PERSONS, bodies.frames), bool)
    left_out = len(tracks) - len(likely)
    for number in likely:
        rows = tracks[number]
        frames = bodies.frame[rows]
        free = [person for person in range(PERSONS) if not seen[person, frames].any()]
        if free:
            persons[frames, free[0]] = bodies.joints[rows]
            seen[free[0], frames] = True
        left_out += not free
    for person in range(PERSONS):
        _fill(persons[:, person], np.flatnonzero(seen[person]))
    return persons, left_out


def _motion(joints: np.ndarray) -> float:
    """Variance of the joints' positions, summed, in square meters."""
    return float(joints.var(0).sum())


def _is_person(bodies: Bodies, rows: np.ndarray) -> bool:
    size = np.ptp(bodies.joints[rows], axis=1)  # (frames, 3)
    wide = size[:, 0] > _WIDEST * size[:, 1]
    return len(rows) >= _SHORTEST * bodies.frames and wide.mean() <= _MOSTLY


def _fill(person: np.ndarray, frames: np.ndarray) -> None:
    """Fill what lies between the frames in which a person was seen, in place."""
    if len(frames):
        missing = np.setdiff1d(np.arange(frames[0], frames[-1]), frames)
        after = np.searchsorted(frames, missing)
        low, high = frames[after - 1], frames[after]
        part = ((missing - low) / (high - low))[:, None, None]
        person[missing] = (1 - part) * person[low] + part * person[high]
