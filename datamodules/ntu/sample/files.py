"""Writes what an NTU RGB+D sample is made of: an avi and a skeleton file."""

from pathlib import Path

import numpy as np

from datamodules.ntu.sample.drawing import project
from datamodules.ntu.sample.tracker import Frame

_QUALITY = 85  # of a JPEG, of 100


def write_avi(path: Path, images: np.ndarray, fps: int) -> None:
    """Write Motion JPEG, the same bytes for the same frames.

    Args:
        path: the file.
        images: (F, H, W, 3) uint8 RGB.
        fps: frames a second.
    """
    import cv2

    size = (images.shape[2], images.shape[1])
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), fps, size
    )
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, _QUALITY)
    for image in images:
        writer.write(np.ascontiguousarray(image[..., ::-1]))
    writer.release()


def write_skeleton(path: Path, frames: list[Frame]) -> None:
    """Write the bodies of each frame in the text form of the data set.

    Of the 12 fields of a joint its position and its pixel in the frame are meant; the pixel in
    the depth frame and the orientation are zero.
    """
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for number, joints in bodies:
            lines += [f"{number} 0 1 1 1 1 0 0 0 2", str(len(joints))]
            fields = np.hstack([joints, project(joints)]).tolist()
            lines += [
                f"{x:.5g} {y:.5g} {z:.5g} 0 0 {column:.4g} {row:.4g} 0 0 0 0 2"
                for x, y, z, column, row in fields
            ]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
