"""What files of one's own become: a sample, and what there is to be looked at.

Legend: H, W pixels, S samples of sound, F frames, P persons.
"""

from dataclasses import dataclass, field

import numpy as np

from datamodules.packed.batch import Batch

_SHOWN = 5  # frames that are drawn
_WIDTH = 240  # pixels of a frame that is drawn


@dataclass(frozen=True)
class View:
    """A frame that the network is shown, made small."""

    image: np.ndarray  # (H, W, 3) uint8
    box: np.ndarray | None  # (4,) left, top, right, bottom in its pixels: what is cut out of it
    number: int  # of the frame in its video, from 0

    @classmethod
    def of(cls, image: np.ndarray, number: int, box: np.ndarray | None = None) -> "View":
        """Make a frame small.

        Args:
            image: (H, W, 3) uint8.
            number: of the frame in its video, from 0.
            box: (4,) left, top, right, bottom in its pixels.
        """
        import cv2

        scale = _WIDTH / image.shape[1]
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(small, None if box is None else box * scale, number)


def drawn(count: int) -> list[int]:
    """Return which of so many frames are drawn: a few, evenly spread."""
    return np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(int).tolist()


@dataclass(frozen=True)
class Wave:
    """Sound, and the part of it that the network is given."""

    samples: np.ndarray  # (S,)
    rate: int  # Hz
    used: tuple[float, float]  # seconds


@dataclass
class Views:
    """What can be drawn of a sample; empty where there is none."""

    frames: list[View] = field(default_factory=list)
    wave: Wave | None = None
    text: str = ""
    values: dict[str, float] = field(default_factory=dict)  # by name, such as action units
    joints: np.ndarray | None = None  # (F, P, 25, 3) meters
    bones: tuple[tuple[int, int], ...] = ()  # pairs of joints


@dataclass
class OwnSample:
    """One sample.

    Args:
        batch: of size 1, as the loader of an evaluation split gives it. What is missing is zero.
        sources: modality -> what it was made of, in words.
        missing: modality -> why it is not there.
        notes: what else has to be known.
        views: what can be drawn.
    """

    batch: Batch
    sources: dict[str, str]
    missing: dict[str, str]
    notes: list[str] = field(default_factory=list)
    views: Views = field(default_factory=Views)
