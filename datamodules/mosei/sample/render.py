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

from datamodules.mosei.prepare import TASK, MoseiSettings, prepare_mosei
from datamodules.mosei.sample.encoder import write_encoder
from datamodules.mosei.sample.files import FOLDS, video_ids, write_folds, write_sequences
from datamodules.mosei.sample.video import render_video
from datamodules.packed.sample import RenderedSample
from datamodules.rendering.once import render_once

VERSION = 1  # of what is rendered: a change of any byte raises it
VIDEOS = {"train": 170, "valid": 45, "test": 80}
ENCODER = "encoder"


@dataclass(kw_only=True)
class MoseiSample(RenderedSample):
    """The rendered CMU-MOSEI, as `RenderedSample` says.

    Args:
        videos: number of videos of each fold.
    """

    task = TASK
    settings: MoseiSettings
    videos: Mapping[str, int] = field(default_factory=lambda: VIDEOS)
    seed: int = 1

    @property
    def rendering(self) -> dict[str, object]:
        return rendering(self.videos, self.seed)

    def render_and_prepare(self) -> None:
        render_mosei(self.raw, videos=self.videos, seed=self.seed)
        prepare_mosei(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            text_encoder=self.raw / ENCODER,
            folds=self.raw / FOLDS,
            workers=self.workers,
        )


def rendering(videos: Mapping[str, int], seed: int) -> dict[str, object]:
    """What a rendered folder says about itself."""
    return {"generator": VERSION, "videos": dict(videos), "seed": seed}


def render_mosei(raw: str | Path, *, videos: Mapping[str, int] = VIDEOS, seed: int = 1) -> None:
    """Render all videos and the encoder, unless that very rendering is there.

    Args:
        raw: the folder to make; another rendering there is replaced.
        videos: number of videos of each fold.
        seed: decides everything.

    Raises:
        DataError: `raw` holds files that were not rendered.
    """
    raw = Path(raw)
    description = rendering(videos, seed)

    def render(partial: Path) -> None:
        total = sum(videos.values())
        print(f"rendering {total} videos with a face, a voice and words into {raw}")
        ids = video_ids(total + 2, seed)
        unlabelled, *named, _ = ids  # the last one is in no fold
        rendered = {
            video: render_video(number, seed, hidden_face=video == named[0])
            for number, video in enumerate(ids)
        }
        write_sequences(partial, rendered, {unlabelled})
        write_folds(partial, _folds(named, unlabelled, videos))
        write_encoder(partial / ENCODER, seed)

    render_once(raw, description, render)


def _folds(named: list[str], unlabelled: str, videos: Mapping[str, int]) -> dict[str, list[str]]:
    """Deal the videos out to the folds; the one without labels is a test video, as in the real."""
    left = iter(named)
    folds = {fold: [next(left) for _ in range(count)] for fold, count in videos.items()}
    return {**folds, "test": [*folds["test"], unlabelled]}
