"""Faces in frames without landmarks: found by OpenCV, followed from frame to frame, smoothed.

Legend: F frames, n faces of a frame; a box is left, top, right, bottom in pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

Detector = Callable[[np.ndarray], np.ndarray]
"""From a frame (H, W, 3) uint8 to its faces (n, 4)."""

_LONGEST = 640  # pixels of a frame's longer side while it is searched
_NEIGHBORS = 6  # detections that agree on a face
_SMALLEST = 0.08  # of the frame's shorter side
_SURE = 0.6  # score of YuNet
_SAME = 0.3  # overlap of a face in two frames, as a part of their union
_MOSTLY = 0.3  # of the frames: what is seen in fewer is no face
_WINDOW = 5  # frames that are averaged
# The networks are trained on boxes around 68 landmarks, from the brows to the chin and from ear to
# ear. The detectors' boxes are larger: cut off left, top, right, bottom, as parts of the box.
_HAAR = (0.06, 0.17, 0.06, -0.05)
_YUNET = (0.0, 0.22, 0.0, 0.0)


@dataclass(frozen=True)
class Followed:
    """The face of a clip, and how many others there are.

    Args:
        boxes: (F, 4), NaN in frames where it is not seen.
        others: faces beside it that are seen in many frames.
    """

    boxes: np.ndarray
    others: int


def haar() -> Detector:
    """Return the detector that OpenCV carries: frontal faces, by Haar cascades."""
    import cv2

    folder = Path(cv2.__file__).parent / "data"
    cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))

    def detect(image: np.ndarray) -> np.ndarray:
        small, scale = _shrunk(image)
        gray = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        least = max(int(_SMALLEST * min(gray.shape)), 24)
        found = cascade.detectMultiScale(
            gray, scaleFactor=1.1, minNeighbors=_NEIGHBORS, minSize=(least, least)
        )
        return _tight(np.array(found, float).reshape(-1, 4), _HAAR) / scale

    return detect


def yunet(model: Path) -> Detector:
    """Return YuNet, a small network, from its ONNX file.

    Raises:
        DataError: the file is none of YuNet.
    """
    import cv2

    try:
        network = cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold=_SURE)
        network.detect(np.zeros((320, 320, 3), np.uint8))
    except cv2.error as error:
        raise DataError(
            f"{model}: expected a model of YuNet that OpenCV reads "
            f"(face_detection_yunet_2023mar.onnx), found another file: {error.err or error}"
        ) from error

    def detect(image: np.ndarray) -> np.ndarray:
        small, scale = _shrunk(image)
        network.setInputSize((small.shape[1], small.shape[0]))
        found = network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
        faces = np.zeros((0, 4)) if found is None else np.array(found, float)[:, :4]
        return _tight(faces, _YUNET) / scale

    return detect


def follow(faces: Sequence[np.ndarray]) -> Followed | None:
    """Choose the face that is largest in most of the frames, and smooth its boxes.

    Args:
        faces: (n, 4) of each frame.

    Returns:
        `None` where no face is seen in enough frames.
    """
    tracks: list[np.ndarray] = []  # (F, 4) each, NaN where it is not seen
    last: list[np.ndarray] = []
    for number, found in enumerate(faces):
        free = list(range(len(tracks)))
        for box in sorted(found, key=lambda box: -_area(box)):
            overlap = [_overlap(box, last[track]) for track in free]
            if overlap and max(overlap) > _SAME:
                track = free.pop(int(np.argmax(overlap)))
                last[track] = box
            else:
                track = len(tracks)
                tracks.append(np.full((len(faces), 4), np.nan))
                last.append(box)
            tracks[track][number] = box
    seen = [~np.isnan(track[:, 0]) for track in tracks]
    likely = [i for i, there in enumerate(seen) if there.mean() >= _MOSTLY]
    if not likely:
        return None
    best = max(likely, key=lambda i: sum(map(_area, tracks[i][seen[i]])))
    together = [i for i in likely if i != best and (seen[i] & seen[best]).any()]
    return Followed(smooth(tracks[best]), len(together))


def smooth(boxes: np.ndarray, window: int = _WINDOW) -> np.ndarray:
    """Average each box with its neighbors in time, (F, 4); what is NaN stays and does not count."""
    there = ~np.isnan(boxes[:, 0])
    result = np.full(boxes.shape, np.nan)
    for number in np.flatnonzero(there):
        near = slice(max(number - window // 2, 0), number + window // 2 + 1)
        result[number] = boxes[near][there[near]].mean(0)
    return result


def _shrunk(image: np.ndarray) -> tuple[np.ndarray, float]:
    import cv2

    scale = min(_LONGEST / max(image.shape[:2]), 1.0)
    if scale == 1:
        return np.ascontiguousarray(image), 1.0
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _tight(found: np.ndarray, cut: tuple[float, float, float, float]) -> np.ndarray:
    """From left, top, width, height (n, 4) to smaller boxes."""
    left, top, width, height = found.T
    return np.stack(
        [
            left + cut[0] * width,
            top + cut[1] * height,
            left + (1 - cut[2]) * width,
            top + (1 - cut[3]) * height,
        ],
        axis=1,
    )


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(sides.clip(min=0).prod())
    return shared / (_area(one) + _area(other) - shared)
