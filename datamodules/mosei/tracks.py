"""Words, faces and voices beside the labels of one video, and what of them a segment has."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datamodules.formats.csd import CsdFile
from datamodules.mosei.alignment import EPSILON, Timeline
from datamodules.mosei.rows import COLUMNS
from datamodules.mosei.segment import MoseiSettings, Stretch

SILENCE = "sp"


@dataclass(frozen=True)
class Located:
    """What a segment has."""

    stretch: Stretch
    sentence: str
    lengths: dict[str, int]  # steps of `visual` and `audio` that are not padding
    missing: str  # why it has to be dropped; empty where it has everything


@dataclass(frozen=True)
class Tracks:
    """The intervals of one video, read once for all of its segments."""

    video: str
    settings: MoseiSettings
    frames: dict[str, Timeline]  # of `visual` and `audio`
    texts: list[str]  # the words, in the order of the file
    times: np.ndarray  # (n, 2) seconds of each word
    words: Timeline | None  # None where there is no file of words

    @classmethod
    def read(cls, video: str, files: Mapping[str, CsdFile], settings: MoseiSettings) -> "Tracks":
        """Read them from the open files."""
        frames = {
            kind: Timeline.of(files[kind].intervals(video)) for kind in COLUMNS if kind in files
        }
        if "words" not in files:
            return cls(video, settings, frames, [], np.zeros((0, 2)), None)
        tokens = files["words"].features(video)[:, 0]
        texts = [t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t) for t in tokens]
        kept = [i for i, text in enumerate(texts) if settings.keep_silence or text != SILENCE]
        times = files["words"].intervals(video)[kept]
        return cls(video, settings, frames, [texts[i] for i in kept], times, Timeline.of(times))

    def locate(self, interval: np.ndarray) -> Located:
        """Find what belongs to a segment, from its begin and end, (2,) seconds."""
        segment = interval[None]  # (1, 2)
        spoken = self.words.overlapping(segment)[1] if self.words else np.zeros(0, np.int64)
        if interval[1] - interval[0] < EPSILON:
            missing = "it has no length"
        elif self.words and not len(spoken):
            missing = "no words in it" + ("" if self.settings.keep_silence else " but silence")
        else:
            missing = ""
        by_word = self.settings.alignment == "word"
        last = self.times[spoken[-self.settings.steps :]] if by_word else np.zeros((0, 2))
        lengths = {}
        for kind, timeline in self.frames.items():
            rows = len(timeline.overlapping(last if by_word else segment)[1])
            missing = missing or ("" if rows else f"no {kind} rows in it")
            lengths[kind] = min(len(last) if by_word else rows, self.settings.steps)
        sentence = " ".join(self.texts[row] for row in spoken)
        return Located(Stretch(self.video, segment, last), sentence, lengths, missing)
