"""Expression -> the 68 landmarks of a face.

Legend: T frames, landmarks in iBUG's order (jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth
48-67), face coordinates with half the face's width as unit, x to the right and y down.
"""

from dataclasses import dataclass

import numpy as np

from datamodules.formats.openface import LANDMARKS

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """What one actor's face is like."""

    length: float = 1.25  # of the face
    brow_height: float = 0.5
    brow_weight: float = 0.07
    eye_size: float = 1.0
    mouth_width: float = 0.34
    mouth_height: float = 0.62
    skin: Colour = (215.0, 175.0, 150.0)
    hair: Colour = (70.0, 50.0, 40.0)
    lips: Colour = (175.0, 90.0, 90.0)
    background: Colour = (235.0, 235.0, 235.0)


def landmarks(look: Look, expression: np.ndarray) -> np.ndarray:
    """Place the 68 points.

    Args:
        look: the actor's.
        expression: (T, 8) in the order of `Expression`.

    Returns:
        (T, 68, 2) in face coordinates.
    """
    raised, inner, lowered, eye, corner, mouth, stretch, lip = expression.T
    points = np.zeros((len(expression), LANDMARKS, 2))
    angle = np.pi * np.arange(17) / 16
    points[:, :17, 0] = -np.cos(angle) * (1 - 0.12 * np.sin(angle))
    points[:, :17, 1] = -0.1 + np.sin(angle) * (look.length + 0.16 * mouth[:, None])
    along = np.linspace(0, 1, 5)  # from the outer to the inner end of a brow
    arch = 0.06 * np.sin(np.pi * along)
    height = -look.brow_height - arch - 0.22 * raised[:, None]
    height = height + (0.24 * lowered - 0.26 * inner)[:, None] * along**1.5
    across = 0.78 - (0.58 + 0.07 * lowered[:, None]) * along
    points[:, 17:22] = np.stack([-across, height], -1)
    points[:, 22:27] = points[:, 17:22][:, ::-1] * (-1, 1)
    points[:, 27:31, 1] = np.linspace(-0.22, 0.16, 4) - 0.04 * lip[:, None] * np.arange(4) / 3
    points[:, 31:36, 0] = np.linspace(-0.17, 0.17, 5) * (1 + 0.2 * lip[:, None])
    points[:, 31:36, 1] = 0.24 - 0.05 * lip[:, None] + 0.03 * np.array([-1, 0, 1, 0, -1])
    points[:, 36:42] = _eye(look, eye)
    # the right eye runs from its inner to its outer corner
    points[:, 42:48] = (_eye(look, eye) * (-1, 1))[:, [3, 2, 1, 0, 5, 4]]
    points[:, 48:68] = _mouth(look, corner, mouth, stretch, lip)
    return points


def _eye(look: Look, opening: np.ndarray) -> np.ndarray:
    """(T, 6, 2): outer corner, two above, inner corner, two below."""
    half = 0.21 * look.eye_size
    lid = 0.11 * look.eye_size * np.clip(1 + 0.85 * opening, 0.08, 2.2)
    points = np.zeros((len(opening), 6, 2))
    points[:, :, 0] = -0.43 + half * np.array([-1, -0.4, 0.4, 1, 0.4, -0.4])
    points[:, 1:3, 1] = -lid[:, None]
    points[:, 4:6, 1] = 0.75 * lid[:, None]
    points[:, :, 1] -= 0.2
    return points


def _mouth(
    look: Look, corner: np.ndarray, opening: np.ndarray, stretch: np.ndarray, lip: np.ndarray
) -> np.ndarray:
    """(T, 20, 2): twelve points around the lips, eight around the opening."""
    opening = np.clip(opening, 0, 1.2)
    half = look.mouth_width * (1 + 0.3 * stretch + 0.2 * np.maximum(corner, 0) - 0.15 * opening)
    turn = np.pi * np.arange(12) / 6  # 0 = the left corner, then over the upper lip
    inside = np.pi * np.arange(8) / 4
    points = np.zeros((len(corner), 20, 2))
    points[:, :12, 0] = -np.cos(turn) * half[:, None]
    points[:, 12:, 0] = -np.cos(inside) * 0.82 * half[:, None]
    gap = 0.012 + 0.26 * opening
    for part, at, thickness in ((slice(0, 12), turn, 0.085), (slice(12, 20), inside, 0.0)):
        up = np.sin(at) > 0
        upper = (gap[:, None] * 0.7 + thickness + 0.14 * lip[:, None]) * np.sin(at)
        lower = (gap[:, None] * 1.3 + thickness * 1.2) * np.sin(at)
        points[:, part, 1] = -np.where(up, upper, lower)
    # the corners move, the middle of the lips hardly does
    bend = (np.abs(points[:, :, 0]) / half[:, None]) ** 2
    points[:, :, 1] += look.mouth_height - 0.26 * corner[:, None] * (bend - 0.3)
    return points


def place(points: np.ndarray, centre: np.ndarray, angle: np.ndarray, unit: float) -> np.ndarray:
    """Face coordinates -> pixels: turn by (T,) radians, enlarge, move to (T, 2)."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = points[..., 0], points[..., 1]
    turned = np.stack([x * cos - y * sin, x * sin + y * cos], -1)
    return turned * unit + centre[:, None]  # (T, 68, 2)
