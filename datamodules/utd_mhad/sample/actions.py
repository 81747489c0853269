"""What is done in the rendered UTD-MHAD: nine of the 27 actions, each as goals of hands and hips.

A first version was seen with single networks and with one run of MSAF. Its sensor was worn at a
known angle, and the inertial network alone made no error: so it is strapped on at any angle now.
Nothing was changed after that. It must never be tuned towards a fusion module.

Legend: S moments. Coordinates of a person in parts of the height: x to the person's right (as the
data set's camera has it), y up from the floor, z away from the camera, so a hand in front of the
body has a negative z.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.utd_mhad_name import ACTIONS

CHOSEN = (
    *("swipe left", "swipe right", "wave", "clap", "draw circle clockwise"),
    *("draw circle counter-clockwise", "push", "jog", "squat"),
)
LABELS = tuple(ACTIONS.index(name) for name in CHOSEN)
ON_THIGH = ("jog", "squat")  # where the sensor is worn, as in actions 22 to 27
REST = np.array([0.13, 0.47, -0.03])  # of the right wrist


@dataclass(frozen=True)
class Movement:
    """What one person does."""

    right: np.ndarray  # (S, 3) where the right wrist goes
    left: np.ndarray  # (S, 3)
    drop: np.ndarray  # (S,) of the hips, in parts of the height
    lift: np.ndarray  # (S, 2) of the right and the left knee


@dataclass(frozen=True)
class Style:
    """How one recording strays: when it begins and ends, how fast, how far, and where."""

    begin: float
    end: float
    cycles: float
    reach: float
    stray: np.ndarray  # (3,)

    @classmethod
    def draw(cls, g: np.random.Generator) -> "Style":
        return cls(
            g.uniform(0.0, 0.12),
            g.uniform(0.88, 1.0),
            g.uniform(1.6, 2.6),
            g.uniform(0.8, 1.2),
            g.normal(0, 0.02, 3),
        )


def act(action: str, time: np.ndarray, style: Style) -> Movement:
    """Do an action.

    Args:
        action: one of `CHOSEN`.
        time: (S,) moments, 0 at the beginning and 1 at the end.
        style: of the recording.
    """
    done = ((time - style.begin) / (style.end - style.begin)).clip(0, 1)  # part of the action
    beat = np.sin(2 * np.pi * style.cycles * done)
    raised = (np.minimum(done, 1 - done) / 0.2).clip(0, 1)[:, None]
    mirror = np.array([-1, 1, 1])
    still = np.zeros_like(time)
    right, left = _hands(action, done, beat, style.reach)
    goal = REST if right is None else REST + (right + style.stray - REST) * raised
    other = REST * mirror if left is None else REST * mirror + (left - REST * mirror) * raised
    drop = 0.2 * style.reach * np.sin(np.pi * done) ** 2 if action == "squat" else still
    lift = np.stack([still, still], 1)
    if action == "jog":
        lift = 0.1 * style.reach * np.stack([beat, -beat], 1).clip(0) * raised
    shape = (*time.shape, 3)
    return Movement(np.broadcast_to(goal, shape), np.broadcast_to(other, shape), drop, lift)


def _hands(
    action: str, done: np.ndarray, beat: np.ndarray, reach: float
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Where the right and the left wrist go, (S, 3) each; `None` stays at rest."""
    none = np.zeros_like(done)
    mirror = np.array([-1, 1, 1])

    def moving(x: np.ndarray, y: np.ndarray, z: np.ndarray, at: tuple[float, ...]) -> np.ndarray:
        return reach * np.stack([x, y, z], 1) + np.array(at)

    if action in ("swipe left", "swipe right"):
        across = (0.5 - done) * (1 if action == "swipe left" else -1)
        return moving(0.4 * across, none, none, (0.05, 0.66, -0.22)), None
    if action == "wave":
        return moving(0.07 * beat, none, none, (0.18, 0.92, -0.08)), None
    if action == "clap":
        hand = moving(0.12 * np.abs(beat), none, none, (0.02, 0.66, -0.22))
        return hand, hand * mirror
    if action.startswith("draw circle"):
        turn = 2 * np.pi * done * (1 if action.endswith(" clockwise") else -1)
        return moving(0.13 * np.sin(turn), 0.13 * np.cos(turn), none, (0.08, 0.7, -0.2)), None
    if action == "push":
        return moving(none, none, -0.18 * np.sin(np.pi * done), (0.12, 0.7, -0.08)), None
    if action == "jog":
        swing = 0.08 * beat
        return (
            moving(none, swing, -swing, (0.13, 0.58, -0.12)),
            moving(none, -swing, swing, (-0.13, 0.58, -0.12)),
        )
    forward = moving(none, none, -0.2 * np.sin(np.pi * done) ** 2, (0.12, 0.6, -0.05))
    return forward, forward * mirror  # squat
