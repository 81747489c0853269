"""Joints before a camera -> frames with dressed persons, what they hold, and the room."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from datamodules.ntu.sample.figure import (
    BASE,
    HEAD,
    LEFT_ARM,
    LEFT_LEG,
    NECK,
    RIGHT_ARM,
    RIGHT_LEG,
)

WIDTH, HEIGHT = 96, 96  # of a frame, in pixels; multiples of 16 suit the encoder
FOCAL = 118.0  # pixels
_ZOOM = 2  # drawn so much larger, then reduced: smooth edges
_SHIFT = 4  # OpenCV draws in 1/16 pixels
Colour = tuple[float, float, float]


class Limb(NamedTuple):
    """The joints along it, what it is dressed in, and its width in meters."""

    joints: list[int]
    clothes: str
    width: float


_LIMBS = (
    Limb([*LEFT_LEG], "trousers", 0.13),
    Limb([*RIGHT_LEG], "trousers", 0.13),
    Limb([*LEFT_ARM[:3]], "shirt", 0.09),
    Limb([*RIGHT_ARM[:3]], "shirt", 0.09),
    Limb([LEFT_ARM[2], LEFT_ARM[4]], "skin", 0.07),
    Limb([RIGHT_ARM[2], RIGHT_ARM[4]], "skin", 0.07),
)
THINGS = {  # width and height in meters
    "cup": (0.17, 0.21),
    "phone": (0.13, 0.21),
    "book": (0.36, 0.26),
    "box": (0.24, 0.2),
}


@dataclass(frozen=True)
class Look:
    """Colours of one person, red first."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour


@dataclass(frozen=True)
class Thing:
    """Something to hold or to lie about."""

    kind: str
    colour: Colour


def project(points: np.ndarray) -> np.ndarray:
    """Camera's coordinates (..., 3) -> pixels (..., 2)."""
    return points[..., :2] / points[..., 2:] * (FOCAL, -FOCAL) + (WIDTH / 2, HEIGHT / 2)


def empty_room(wall: Colour, floor: Colour, horizon: float) -> np.ndarray:
    """Return what is drawn on: a wall, and below the horizon (in pixels) a floor."""
    room = np.empty((HEIGHT * _ZOOM, WIDTH * _ZOOM, 3), np.uint8)
    edge = round(horizon * _ZOOM)
    room[:edge], room[edge:] = np.round(wall), np.round(floor)
    return room


class Canvas:
    """One frame to draw on. Points are in pixels, depths and widths in meters."""

    def __init__(self, room: np.ndarray) -> None:
        import cv2

        self.image = room.copy()
        self._cv2 = cv2

    def line(self, points: np.ndarray, depth: float, width: float, colour: Colour) -> None:
        """Draw a line through (P, 2) points."""
        thickness = max(round(width * FOCAL / depth * _ZOOM), 1)
        smooth = self._cv2.LINE_AA
        self._cv2.polylines(self.image, [_fixed(points)], False, colour, thickness, smooth, _SHIFT)

    def disc(self, point: np.ndarray, depth: float, radius: float, colour: Colour) -> None:
        """Draw a ball around a point (2,)."""
        size = round(radius * FOCAL / depth * _ZOOM * 2**_SHIFT)
        filled, smooth = self._cv2.FILLED, self._cv2.LINE_AA
        centre = _fixed(point).tolist()
        self._cv2.circle(self.image, centre, size, colour, filled, smooth, _SHIFT)

    def thing(self, thing: Thing, point: np.ndarray, depth: float) -> None:
        """Draw a thing at a point (2,)."""
        half = np.array(THINGS[thing.kind]) * FOCAL / depth / 2
        start, end = (_fixed(point + side * half).tolist() for side in (-1, 1))
        filled, smooth = self._cv2.FILLED, self._cv2.LINE_AA
        self._cv2.rectangle(self.image, start, end, thing.colour, filled, smooth, _SHIFT)

    def person(self, look: Look, joints: np.ndarray, depth: np.ndarray) -> None:
        """Draw (25, 2) joints at their (25,) depths, what is nearer over what is farther."""
        spine = float(depth[BASE])
        limbs = sorted(((float(depth[limb.joints].mean()), limb) for limb in _LIMBS), reverse=True)
        for away, limb in limbs:
            if away >= spine:
                self.limb(look, limb, joints, away)
        up = np.array([0, FOCAL / spine])  # a metre
        self.line(joints[[BASE, NECK]], spine, 0.3, look.shirt)
        self.disc(joints[HEAD] - 0.03 * up, spine, 0.12, look.hair)
        self.disc(joints[HEAD] + 0.02 * up, spine, 0.105, look.skin)
        for away, limb in limbs:
            if away < spine:
                self.limb(look, limb, joints, away)

    def limb(self, look: Look, limb: Limb, joints: np.ndarray, depth: float) -> None:
        """Draw one of a person's limbs."""
        self.line(joints[limb.joints], depth, limb.width, getattr(look, limb.clothes))

    def reduced(self) -> np.ndarray:
        """Return the frame in its own size, (HEIGHT, WIDTH, 3) uint8 RGB."""
        return self._cv2.resize(self.image, (WIDTH, HEIGHT), interpolation=self._cv2.INTER_AREA)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * (_ZOOM * 2**_SHIFT)).astype(np.int32)
