"""Skeleton files written and read the plain way: field by field, line by line."""

from pathlib import Path

import numpy as np

IDS = (72057594037931101, 72057594037931102, 72057594037944738)
Frame = list[tuple[int, np.ndarray]]  # the bodies of a frame: id and (25, 3) positions


def write_plain(path: Path, frames: list[Frame], *, end: str = "\n", last: str = "") -> Path:
    """Write bodies with made-up values in the fields that nobody reads."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for number, joints in bodies:
            lines += [f"{number} 0 1 1 1 1 0 -0.0413784 0.1019991 2", "25"]
            lines += [
                f"{x:.7g} {y:.7g} {z:.7g} 264.0173 203.1216 970.4507 487.0231 "
                "-0.2119999 0.02418898 0.9659692 -0.1444362 2"
                for x, y, z in joints
            ]
    path.write_bytes((end.join(lines) + end + last).encode())
    return path


def read_plain(path: Path) -> list[Frame]:
    """Read every field of every line, as the data set's own description says."""
    with path.open() as file:
        frames = []
        for _ in range(int(file.readline())):
            bodies: Frame = []
            for _ in range(int(file.readline())):
                number = int(file.readline().split()[0])
                joints = []
                for _ in range(int(file.readline())):
                    fields = [float(field) for field in file.readline().split()]
                    joints.append(fields[:3])
                bodies.append((number, np.array(joints, np.float32)))
            frames.append(bodies)
        return frames


def random_frames(counts: list[int], seed: int = 0) -> list[Frame]:
    """So many bodies in each frame, standing a few meters before the camera."""
    g = np.random.default_rng(seed)
    return [
        [(IDS[body], g.normal((0.2, 0.1, 3.0), 0.4, (25, 3))) for body in range(count)]
        for count in counts
    ]
