"""A small rendered CMU-MOSEI in the raw layout of the real one, and a tiny BERT for its text.

Four .csd files (words with `sp`, FACET, COVAREP, labels), folds, and an encoder: 170 train, 45
valid and 80 test videos with some 1,200 segments. From there on it takes the way of the real data:
prepare, packed set, datamodule. It has the real one's faults, too: infinities and NaN in the sound,
a segment without a face, a test video without labels, a video in no fold, labels out of order.
`sentiment.py` says what is in it and how it was fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules.mosei.prepare import TASK, MoseiSettings, prepare_mosei
from datamodules.mosei.sample.encoder import write_encoder
from datamodules.mosei.sample.files import FOLDS, video_ids, write_folds, write_sequences
from datamodules.mosei.sample.video import render_video
from datamodules.packed.sample import RenderedSample

VIDEOS = {"train": 170, "valid": 45, "test": 80}
ENCODER = "encoder"


@dataclass(kw_only=True)
class MoseiSample(RenderedSample):
    """The rendered CMU-MOSEI, as `RenderedSample` says.

    Args:
        videos: number of videos of each fold.
    """

    task = TASK
    version = 1  # a change of any byte, rendered or packed, raises it
    settings: MoseiSettings
    videos: Mapping[str, int] = field(default_factory=lambda: VIDEOS)
    seed: int = 1

    @property
    def content(self) -> dict[str, Any]:
        return {"videos": dict(self.videos)}

    def write(self, folder: Path) -> None:
        total = sum(self.videos.values())
        print(f"rendering {total} videos with a face, a voice and words into {self.raw}")
        ids = video_ids(total + 2, self.seed)
        unlabelled, *named, _ = ids  # the last one is in no fold
        rendered = {
            video: render_video(number, self.seed, hidden_face=video == named[0])
            for number, video in enumerate(ids)
        }
        write_sequences(folder, rendered, {unlabelled})
        write_folds(folder, _folds(named, unlabelled, self.videos))
        write_encoder(folder / ENCODER, self.seed)

    def prepare(self) -> Path:
        return prepare_mosei(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            text_encoder=self.raw / ENCODER,
            folds=self.raw / FOLDS,
            workers=self.workers,
        )


def _folds(named: list[str], unlabelled: str, videos: Mapping[str, int]) -> dict[str, list[str]]:
    """Deal the videos out to the folds; the one without labels is a test video, as in the real."""
    left = iter(named)
    folds = {fold: [next(left) for _ in range(count)] for fold, count in videos.items()}
    return {**folds, "test": [*folds["test"], unlabelled]}
