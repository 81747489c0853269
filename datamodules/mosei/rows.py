"""What the packed CMU-MOSEI says of a segment, whichever files it comes from."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.mosei_folds import SPLITS
from datamodules.packed.chunks import Work
from datamodules.packed.errors import DataError

EMOTIONS = ("happy", "sad", "anger", "surprise", "disgust", "fear")
COLUMNS = {"visual": 35, "audio": 74}  # FACET 4.2 and COVAREP
MODALITIES = ("visual", "audio", "text")
_SENTIMENT, _EMOTION = 3.0, 3.0  # sentiment in [-3, 3], emotions in [0, 3]
_NO_LABEL = 10.0  # beyond it a number is no slip of an annotator, but of the wrong column


@dataclass
class Segment:
    """A row of the index."""

    id: str
    video: str
    split: str
    label: float  # sentiment in [-3, 3]
    emotions: Sequence[float] = ()  # in [0, 3], in the order of `EMOTIONS`; none where unknown
    interval: tuple[float, float] | None = None  # seconds; none where unknown
    sentence: str = ""
    lengths: dict[str, int] = field(default_factory=dict)  # steps that are not padding

    def row(self) -> dict[str, object]:
        """The columns of the index; what is unknown is empty."""
        emotions: Sequence[object] = self.emotions or [""] * len(EMOTIONS)
        start, end = self.interval or ("", "")
        return {
            "id": self.id,
            "video": self.video,
            "split": self.split,
            "label": self.label,
            **dict(zip(EMOTIONS, emotions, strict=True)),
            "start": start,
            "end": end,
            **{f"{name}_length": self.lengths[name] for name in MODALITIES if name in self.lengths},
            "sentence": self.sentence,
        }


@dataclass
class SegmentPlan:
    """What will be packed of some files, and what will not."""

    files: list[Path]  # those that are read
    folds: Mapping[str, str]  # video -> split
    segments: list[Segment] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)  # one a segment, for `work`
    work: Work | None = None  # segment -> arrays
    whole: Callable[[Path], Mapping[str, Path]] | None = None  # makes arrays of all segments
    sizes: dict[str, int] = field(default_factory=dict)  # modality -> bytes a segment
    sentences: bool = True  # whether they are known, so that text can be encoded
    seconds: float = 0.0  # a segment, on one core
    dropped: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def splits(self) -> dict[str, int]:
        """Segments of each split."""
        return {name: sum(s.split == name for s in self.segments) for name in SPLITS}


def clip_labels(labels: np.ndarray, where: str, rows: Sequence[str]) -> tuple[np.ndarray, int]:
    """Bring labels into their range, as the SDK's users are told to.

    Some segments have more than three annotators, which carries a mean slightly out of range.

    Args:
        labels: (n, 1) sentiment, or (n, 7) with the six emotions after it.
        where: the file, for the message.
        rows: n names by which a reader of the message finds a label in the file.

    Returns:
        The labels with sentiment in [-3, 3] and emotions in [0, 3], and the number of segments
        that this changed.

    Raises:
        DataError: a label is no finite number, or so far out of range that it is no label.
    """
    wrong = ~np.isfinite(labels) | (np.abs(labels) > _NO_LABEL)
    if wrong.any():
        raise DataError(
            f"{where}: expected labels in [-3, 3], found {labels[wrong][0]:g} in "
            f"{rows[int(np.flatnonzero(wrong.any(1))[0])]}; these are no labels of CMU-MOSEI: "
            "correct them, or leave these rows out"
        )
    low = np.array([-_SENTIMENT] + [0.0] * (labels.shape[1] - 1))
    clipped = np.clip(labels, low, max(_SENTIMENT, _EMOTION))
    return clipped, int((clipped != labels).any(1).sum())


def short(value: float) -> float:
    """The shortest decimal number that is the same float32: what the labels' files hold."""
    return float(str(np.float32(value)))
