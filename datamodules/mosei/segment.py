"""One segment of CMU-MOSEI -> its rows of face and voice: the work of one sample."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from datamodules.formats.csd import CsdFile
from datamodules.mosei.alignment import Timeline, means, pad_left
from datamodules.packed.chunks import Prepared
from datamodules.packed.errors import DataError, reading, without_folders
from datamodules.packed.numbers import fits
from datamodules.packed.settings import check_settings


@dataclass(frozen=True)
class MoseiSettings:
    """The settings that act in prepare.

    Args:
        alignment: face and voice as one mean a `word` (the paper's text), or the last frames of
            the segment as they are, aligned to the `label` alone (the released code).
        keep_silence: the silence token `sp` counts as a word (the released code).
        text_padding: rows after the text are `zero`, or what the encoder gives there, `encoded`
            (the released code).
        text_dtype: of the packed text; half of it takes half of the disk.
        steps: length of every sequence; face and voice keep the last ones, text the first pieces.
    """

    alignment: Literal["word", "label"] = "word"
    keep_silence: bool = False
    text_padding: Literal["zero", "encoded"] = "zero"
    text_dtype: Literal["float32", "float16"] = "float32"
    steps: int = 50

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Stretch:
    """Where a segment lies in its video."""

    video: str
    interval: np.ndarray  # (1, 2) seconds
    words: np.ndarray  # (w, 2) seconds, w at most `steps`, where words are aligned to


@dataclass(frozen=True)
class AlignSegment:
    """Segment -> arrays. Callable and picklable, so that worker processes can have it.

    Args:
        files: modality -> `.csd` file.
        settings: what acts here.
    """

    files: dict[str, Path]
    settings: MoseiSettings

    def __call__(self, segment: Stretch) -> Prepared:
        """Read and align one segment; (steps, d) float32 a modality, padded on the left.

        Values that are not finite, or that float32 cannot hold, become zero before anything is
        averaged.

        Raises:
            DataError: the file is damaged where this segment lies; it is named without its folder.
        """
        try:
            return self._align(segment)
        except DataError as error:
            raise DataError(without_folders(error, *self.files.values())) from error

    def _align(self, segment: Stretch) -> Prepared:
        by_word = self.settings.alignment == "word"
        stretches = segment.words if by_word else segment.interval
        prepared = Prepared({})
        for modality, path in self.files.items():
            with reading(path):
                which, rows = _timeline(path, segment.video).overlapping(stretches)
                if not by_word:
                    rows = rows[-self.settings.steps :]
                frames = _opened(path).features(segment.video, rows)
            finite = fits(frames, np.float32)
            prepared.counts[f"{modality}_values_not_finite"] = int((~finite).sum())
            frames = np.where(finite, frames, 0)
            if by_word:
                frames = means(frames, which, len(stretches))
                bare = len(stretches) - len(np.unique(which))
                prepared.counts[f"words_without_{modality}"] = bare
            prepared.arrays[modality] = pad_left(frames, self.settings.steps)
        return prepared


@lru_cache(maxsize=4)
def _opened(path: Path) -> CsdFile:
    """Open until the worker process ends, or for as long as a handful of files are in use."""
    return CsdFile(path)


@lru_cache(maxsize=8)
def _timeline(path: Path, video: str) -> Timeline:
    return Timeline.of(_opened(path).intervals(video))
