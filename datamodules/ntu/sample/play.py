"""One performance of an NTU RGB+D action, as it happens in the room: who, what, and with what.

Legend: F frames.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.ntu_name import ACTIONS, SampleName
from datamodules.ntu.sample.actions import FPS, FRAMES, Scene, act
from datamodules.ntu.sample.drawing import THINGS, Colour, Look, Thing
from datamodules.ntu.sample.figure import LEFT_ARM, RIGHT_ARM, Build, joints_of, stand

_COLOURS = {  # of things, on the whole
    "cup": (205.0, 60.0, 50.0),
    "phone": (25.0, 25.0, 35.0),
    "book": (235.0, 230.0, 215.0),
    "box": (215.0, 175.0, 60.0),
}
_LEFT_HAND, _RIGHT_HAND = LEFT_ARM[3], RIGHT_ARM[3]


@dataclass(frozen=True)
class Person:
    """Everything that stays the same in all samples of one subject."""

    build: Build
    look: Look


@dataclass(frozen=True)
class Room:
    """A setup: a room and how the cameras stand in it."""

    wall: Colour
    floor: Colour
    distance: float  # meters
    level: float  # meters above the floor


@dataclass(frozen=True)
class Play:
    """One performance, as it happens in the room."""

    looks: list[Look]
    joints: list[np.ndarray]  # (F, 25, 3) of each person
    held: tuple[Thing, np.ndarray] | None  # and where it is, (F, 3)
    lying: tuple[Thing, np.ndarray] | None  # and where it is, (3,)


def setup_of(subject: int) -> int:
    """Each setup, 1 to 14, has three subjects of its own."""
    return (subject + 2) // 3


def cast(number: int, seed: int) -> Person:
    """Subject 1 to 40."""
    g = np.random.default_rng((seed, 1, number))
    build = Build(g.uniform(1.55, 1.85), g.uniform(0.18, 0.22), g.uniform(0.95, 1.05))
    return Person(build, _look(g))


def furnish(number: int, seed: int) -> Room:
    """Setup 1 to 17."""
    g = np.random.default_rng((seed, 2, number))
    wall = g.uniform(120, 215) * g.uniform(0.9, 1.1, 3)
    floor = g.uniform(60, 150) * np.array([1.1, 1.0, 0.85])
    return Room(_colour(wall), _colour(floor), g.uniform(2.3, 2.7), g.uniform(1.0, 1.2))


def rehearse(name: SampleName, seed: int, g: np.random.Generator) -> Play:
    """Place one or two persons in the room, let them act, and give them a thing."""
    subject = cast(name.subject, seed)
    scene = act(ACTIONS[name.label], subject.build.height, g)
    partner = Person(Build(subject.build.height * g.uniform(0.97, 1.03)), _look(g))
    people = [subject, partner][: len(scene.movements)]
    yaw, where = g.normal(0, 0.2), g.normal(0, 0.08, 2)
    # two face each other, a metre apart
    stances = (
        [((-0.5, 0.0), np.pi / 2), ((0.5, 0.0), -np.pi / 2)]
        if partner in people
        else [((0.0, 0.0), 0.0)]
    )
    joints = [
        stand(joints_of(person.build, movement), (x + where[0], z + where[1]), turn + yaw)
        for person, movement, ((x, z), turn) in zip(people, scene.movements, stances, strict=True)
    ]
    held = None if scene.held is None else (_thing(scene.held, g), _hands(scene, joints))
    spot = np.array([g.choice([-1, 1]) * g.uniform(0.45, 0.8), g.uniform(0.7, 1.1), 0.3])
    kind = str(g.choice(list(THINGS)))
    lying = (_thing(kind, g), spot) if g.random() < 0.25 else None
    return Play([person.look for person in people], joints, held, lying)


def _hands(scene: Scene, joints: list[np.ndarray]) -> np.ndarray:
    """Where the thing is, (F, 3)."""
    first = joints[0]
    if scene.between:
        return (first[:, _LEFT_HAND] + first[:, _RIGHT_HAND]) / 2
    passed = np.arange(FRAMES) / FPS >= scene.passed_at
    return np.where(passed[:, None], joints[-1][:, _RIGHT_HAND], first[:, _RIGHT_HAND])


def _look(g: np.random.Generator) -> Look:
    skin = np.array([225.0, 185.0, 160.0]) * g.uniform(0.7, 1.0)
    hair = np.array([70.0, 50.0, 40.0]) * g.uniform(0.3, 1.3)
    shirt = g.uniform(70, 150) * g.uniform(0.8, 1.2, 3)
    return Look(_colour(skin), _colour(hair), _colour(shirt), _colour(g.uniform(40, 80, 3)))


def _thing(kind: str, g: np.random.Generator) -> Thing:
    return Thing(kind, _colour(np.array(_COLOURS[kind]) + g.normal(0, 20, 3)))


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = np.clip(values, 0, 255).tolist()
    return red, green, blue
