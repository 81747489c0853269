"""Landmarks -> frame with a face, and what can spoil it."""

import numpy as np

from datamodules.ravdess.sample.face import Colour, Look

WIDTH, HEIGHT = 160, 90  # of the frame, in pixels
_ZOOM = 3  # drawn so much larger, then reduced: smooth edges
_SHIFT = 4  # OpenCV draws in 1/16 pixels
_CLOTHES, _WHITE, _IRIS = (60.0, 62.0, 70.0), (250.0, 250.0, 250.0), (45.0, 35.0, 30.0)
_THROAT = (60.0, 20.0, 25.0)


class _Canvas:
    """A frame to draw on, in pixels of the final size."""

    def __init__(self, colour: Colour, unit: float) -> None:
        import cv2

        self.image = np.empty((HEIGHT * _ZOOM, WIDTH * _ZOOM, 3), np.uint8)
        cv2.rectangle(self.image, (0, 0), self.image.shape[1::-1], colour, cv2.FILLED)
        self.unit = unit  # widths and radii are parts of it

    def fill(self, outline: np.ndarray, colour: Colour) -> None:
        import cv2

        points = np.round(outline * _ZOOM * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(self.image, [points], colour, cv2.LINE_AA, _SHIFT)

    def line(self, path: np.ndarray, colour: Colour, width: float) -> None:
        import cv2

        points = np.round(path * _ZOOM * 2**_SHIFT).astype(np.int32)
        thickness = max(round(width * self.unit * _ZOOM), 1)
        cv2.polylines(self.image, [points], False, colour, thickness, cv2.LINE_AA, _SHIFT)

    def disc(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        import cv2

        x, y = np.round(centre * _ZOOM).astype(int).tolist()
        size = round(radius * self.unit * _ZOOM)
        cv2.circle(self.image, (x, y), size, colour, cv2.FILLED, cv2.LINE_AA)

    def reduced(self) -> np.ndarray:
        import cv2

        return cv2.resize(self.image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def draw_face(look: Look, points: np.ndarray, wrinkle: float) -> np.ndarray:
    """Draw one face.

    Args:
        look: the actor's.
        points: (68, 2) landmarks in pixels.
        wrinkle: depth of the folds beside the nose, 0 to 1.

    Returns:
        (HEIGHT, WIDTH, 3) uint8 RGB.
    """
    unit = float(np.linalg.norm(points[16] - points[0])) / 2
    canvas = _Canvas(look.background, unit)
    shade = (0.72 * look.skin[0], 0.72 * look.skin[1], 0.72 * look.skin[2])
    _draw_head(canvas, look, points)
    for eye in (points[36:42], points[42:48]):
        canvas.fill(eye, _WHITE)
        opening = float(np.linalg.norm(eye[1] - eye[5])) / unit
        canvas.disc(eye.mean(0), min(0.62 * opening, 0.12), _IRIS)
        canvas.line(eye[:4], look.hair, 0.045)
    for brow in (points[17:22], points[22:27]):
        canvas.line(brow, look.hair, look.brow_weight)
    canvas.line(points[27:31], shade, 0.03)
    canvas.line(points[31:36], shade, 0.045)
    mouth = points[[48, 54]].mean(0)
    skin = np.array(look.skin)
    fold = tuple((skin + (np.array(shade) - skin) * wrinkle).tolist())
    for side, corner in ((points[31], points[48]), (points[35], points[54])):
        bulge = (side + corner) / 2 + (corner - mouth) / 4
        canvas.line(np.stack([side, bulge, corner]), fold, 0.05)
    canvas.fill(points[48:60], look.lips)
    canvas.fill(points[60:68], _THROAT)
    return canvas.reduced()


def _draw_head(canvas: _Canvas, look: Look, points: np.ndarray) -> None:
    """Shoulders, hair and the outline of the face; the forehead mirrors the jaw."""
    jaw = points[:17]
    middle = (jaw[0] + jaw[16]) / 2
    down = (jaw[8] - middle) / np.linalg.norm(jaw[8] - middle)
    depth = ((jaw - middle) @ down)[:, None] * down  # of every point below the temples
    canvas.disc(middle + down * canvas.unit * 2.9, 1.7, _CLOTHES)
    canvas.fill(middle + (jaw - 1.85 * depth - middle) * 1.12, look.hair)
    canvas.fill(np.concatenate([jaw, (jaw - 1.72 * depth)[::-1]]), look.skin)


def cover(
    image: np.ndarray, points: np.ndarray, colour: np.ndarray, margin: np.ndarray
) -> np.ndarray:
    """Hold something before the face, from the brows to the mouth.

    Args:
        image: (H, W, 3) uint8.
        points: (68, 2) landmarks in pixels.
        colour: (3,) of the thing.
        margin: (2, 2) by what part of its size it reaches further than the features, at the top
            left and at the bottom right.
    """
    import cv2

    low, high = points[17:].min(0), points[17:].max(0)
    start = np.round(low - margin[0] * (high - low)).astype(int).tolist()
    end = np.round(high + margin[1] * (high - low)).astype(int).tolist()
    return cv2.rectangle(image.copy(), start, end, colour.tolist(), cv2.FILLED)
