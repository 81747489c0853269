"""What is done in the rendered NTU RGB+D, and how far subjects and clips stray.

Ten of the sixty actions, in five pairs. Three pairs are one motion with another thing in the hand,
which only the frames show: drink and phone call, read and play with phone, give object and shake
hands. Two pairs look alike in small frames and differ in a few centimetres, which only the
skeleton resolves: clap and rub hands (sideways, or in depth), nod and shake head.

Fixed before any fusion was trained on it, by single-stream probes and one plain concatenation of
their features, with the subjects of the test part unseen. Two runs of the unimodal networks had
printed test accuracies (video 48 %, skeleton 42 %) before the nod was last made wider. It must
never be tuned towards a fusion module.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.ntu_name import ACTIONS
from datamodules.ntu.sample.figure import Movement

FRAMES, FPS = 20, 8
SECONDS = FRAMES / FPS
CHOSEN = (
    *("drink", "phone call", "read", "play with phone", "give object", "shake hands"),
    *("clap", "rub hands", "nod head", "shake head"),
)
LABELS = tuple(ACTIONS.index(name) for name in CHOSEN)
TWO_PERSONS = ("give object", "shake hands")
HELD = {  # the thing in the hand
    "drink": "cup",
    "phone call": "phone",
    "read": "book",
    "play with phone": "phone",
    "give object": "box",
}

# Part of the clips that are spoilt, never both streams of one: there is always something to go by.
SPOILT_VIDEO = 0.10  # out of focus, or somebody stands before the camera
SPOILT_SKELETON = 0.10  # joints jump about

JITTER, LASTING = 0.005, 0.015  # meters: error of a joint in each frame, and in a whole clip
STROKE = (0.05, 0.08)  # meters that hands move when they clap or rub
NOD = (0.06, 0.1)  # meters that the head moves
_REST_LEFT, _REST_RIGHT = np.array([0.13, 0.47, 0.03]), np.array([-0.13, 0.47, 0.03])


@dataclass(frozen=True)
class Scene:
    """The persons of one clip and what the first one holds."""

    movements: tuple[Movement, ...]
    held: str | None  # a kind of thing
    between: bool  # in both hands, not in the right one
    passed_at: float  # second at which it changes over to the other person


def act(action: str, height: float, g: np.random.Generator) -> Scene:
    """Invent one performance of an action.

    Args:
        action: one of `CHOSEN`.
        height: of the performer, in meters.
        g: what varies from clip to clip.
    """
    time = np.arange(FRAMES) / FPS
    begin, end = g.uniform(0.15, 0.6), g.uniform(1.9, 2.5)
    raised = _ramp(time, begin) * (1 - _ramp(time, end))
    wave = np.sin(2 * np.pi * (g.uniform(1.0, 1.7) * time + g.uniform()))
    left, right = (rest + g.normal(0, 0.012, 3) for rest in (_REST_LEFT, _REST_RIGHT))
    goals = _goals(action, wave, height, g)
    still = np.zeros(FRAMES)
    nod = g.uniform(*NOD) * wave * raised if action == "nod head" else still
    shake = g.uniform(*NOD) * wave * raised if action == "shake head" else still
    movements = [
        Movement(
            _towards(left, goals[0], raised),
            _towards(right, goals[1], raised),
            nod,
            shake,
            _sway(g),
        )
    ]
    if action in TWO_PERSONS:
        other = _REST_RIGHT + g.normal(0, 0.012, 3)
        movements.append(
            Movement(
                _towards(_REST_LEFT + g.normal(0, 0.012, 3), None, raised),
                _towards(other, goals[1], raised),
                sway=_sway(g),
            )
        )
    both = action in ("read", "play with phone")
    return Scene(tuple(movements), HELD.get(action), both, (begin + end) / 2 + 0.3)


def _goals(
    action: str, wave: np.ndarray, height: float, g: np.random.Generator
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Where left and right wrist go, (F, 3) in parts of the height; `None` stays at rest."""
    stray = g.normal(0, 0.02, 3)
    beat = wave[:, None]
    if action in ("drink", "phone call"):
        goal = np.array([-0.05, 0.86, 0.07]) + stray + 0.008 * beat
        return None, goal
    if action in ("read", "play with phone"):
        middle = np.array([0.0, 0.66, 0.2]) + stray + 0.004 * beat
        apart = np.array([g.uniform(0.05, 0.07), 0, 0])
        return middle + apart, middle - apart
    if action in TWO_PERSONS:
        return None, np.array([-0.02, 0.6, 0.3]) + stray / 2 + g.uniform(0, 0.02) * beat * (0, 1, 0)
    if action in ("clap", "rub hands"):
        middle = np.array([0.0, 0.7, 0.2]) + stray
        stroke = g.uniform(*STROKE) / height * beat
        apart = np.array([0.04, 0, 0])
        if action == "clap":
            apart = apart + np.abs(stroke) * (1.5, 0, 0)
            return middle + apart, middle - apart
        return middle + apart + stroke * (0, 0, 1), middle - apart - stroke * (0, 0, 1)
    return None, None


def _ramp(time: np.ndarray, at: float) -> np.ndarray:
    """0 before, 1 half a second after, smooth between."""
    part = np.clip((time - at) / 0.5, 0, 1)
    return part * part * (3 - 2 * part)


def _towards(rest: np.ndarray, goal: np.ndarray | None, raised: np.ndarray) -> np.ndarray:
    if goal is None:
        return np.broadcast_to(rest, (FRAMES, 3))
    return rest + (goal - rest) * raised[:, None]


def _sway(g: np.random.Generator) -> np.ndarray:
    """(F, 2) meters: nobody stands quite still."""
    time = np.arange(FRAMES)[:, None] / FPS
    turn = 2 * np.pi * (g.uniform(0.2, 0.5, 2) * time + g.uniform(size=2))
    return g.uniform(0.003, 0.012, 2) * np.sin(turn)
