"""One rendered NTU RGB+D sample: a subject does something before three cameras.

Legend: F frames.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.ntu_name import SampleName
from datamodules.ntu.sample.actions import FRAMES, SPOILT_SKELETON, SPOILT_VIDEO
from datamodules.ntu.sample.drawing import HEIGHT, WIDTH, Canvas, empty_room, project
from datamodules.ntu.sample.figure import BASE
from datamodules.ntu.sample.play import Play, Room, furnish, rehearse
from datamodules.ntu.sample.tracker import Frame, track
from datamodules.rendering.camera import blur, expose

_ANGLES = {1: np.pi / 4, 2: 0.0, 3: -np.pi / 4}  # at which the cameras stand around the scene


@dataclass(frozen=True)
class Recording:
    """One sample, ready to be written."""

    images: np.ndarray  # (F, H, W, 3) uint8 RGB
    frames: list[Frame]  # what a tracker finds


def perform(name: SampleName, seed: int) -> Recording:
    """Render one sample; the same name and seed always give the same.

    What is done depends on subject, action and replication alone: the three cameras see one
    performance, each with errors of its own.
    """
    performance = (seed, 3, name.subject, name.action, name.replication)
    play = rehearse(name, seed, np.random.default_rng(performance))
    room = furnish(name.setup, seed)
    g = np.random.default_rng((*performance, name.camera))
    angle = _ANGLES[name.camera] + g.normal(0, 0.05)
    spoilt = g.random()
    spoilt_video = spoilt < SPOILT_VIDEO
    spoilt_skeleton = not spoilt_video and spoilt < SPOILT_VIDEO + SPOILT_SKELETON
    seen = [_seen_from(joints, angle, room) for joints in play.joints]
    images = _film(play, seen, angle, room)
    return Recording(_record(images, spoilt_video, g), track(seen, spoilt_skeleton, g))


def _seen_from(points: np.ndarray, angle: float, room: Room) -> np.ndarray:
    """The room's coordinates -> the camera's: x to the right, y up, z the distance from it."""
    right = np.array([np.cos(angle), 0, np.sin(angle)])
    away = np.array([-np.sin(angle), 0, np.cos(angle)])
    return np.stack(
        [points @ right, points[..., 1] - room.level, points @ away + room.distance], -1
    )


def _film(play: Play, seen: list[np.ndarray], angle: float, room: Room) -> np.ndarray:
    """(F, H, W, 3) uint8."""
    order = np.argsort([-joints[:, BASE, 2].mean() for joints in seen])  # the farther one first
    pixels = [project(joints) for joints in seen]
    empty = empty_room(room.wall, room.floor, HEIGHT * 0.72)
    images = []
    for frame in range(FRAMES):
        canvas = Canvas(empty)
        if play.lying is not None:
            place = _seen_from(play.lying[1], angle, room)
            canvas.thing(play.lying[0], project(place), float(place[2]))
        for person in order.tolist():
            depth = seen[person][frame, :, 2]
            canvas.person(play.looks[person], pixels[person][frame], depth)
        if play.held is not None:
            place = _seen_from(play.held[1][frame], angle, room)
            canvas.thing(play.held[0], project(place), float(place[2]))
        images.append(canvas.reduced())
    return np.stack(images)


def _record(images: np.ndarray, spoilt: bool, g: np.random.Generator) -> np.ndarray:
    """The camera: light and grain, and where it is spoilt out of focus or somebody before it."""
    images = expose(images, g.uniform(0.8, 1.1), g.uniform(2, 5), g)
    if spoilt and g.random() < 0.5:
        radius = g.uniform(4, 6)
        return np.stack([blur(image, radius) for image in images])
    if spoilt:
        left = round(WIDTH * g.uniform(0.3, 0.4))
        images[:, 10:, left : left + WIDTH // 3] = np.round(g.uniform(20, 120, 3))
    return images
