"""A small rendered CMU-MOSEI in the raw layout of the real one, and a tiny BERT for its text.

Four .csd files (words with `sp`, FACET, COVAREP, labels), folds, and an encoder: 170 train, 45
valid and 80 test videos with some 1,200 segments. From there on it takes the way of the real data:
prepare, packed set, datamodule. It has the real one's faults, too: infinities and NaN in the sound,
a segment without a face, a test video without labels, a video in no fold, labels out of order.
`mosei_sentiment.py` says what is in it and how it was fixed.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.errors import DataError
from datamodules.prepare.packed import MANIFEST, differences, read_manifest
from datamodules.prepare.source import RENDERED
from datamodules.sample.mosei_encoder import write_encoder
from datamodules.sample.mosei_files import FOLDS, video_ids, write_folds, write_sequences
from datamodules.sample.mosei_video import render_video

if TYPE_CHECKING:
    from datamodules.prepare.mosei import MoseiSettings

VERSION = 1  # of what is rendered: a change of any byte raises it
VIDEOS = {"train": 170, "valid": 45, "test": 80}
ENCODER = "encoder"


def ensure_sample(
    root: str | Path,
    *,
    raw: str | Path,
    protocol: str,
    settings: "MoseiSettings",
    videos: Mapping[str, int] = VIDEOS,
    seed: int = 1,
    workers: int | None = None,
) -> None:
    """Render and prepare the sample data where they are not there yet.

    Jobs that start together wait for the one that came first.

    Args:
        root: the packed folder.
        raw: the folder for the rendered files.
        protocol: name of the protocol that the settings belong to.
        settings: of prepare.
        videos: number of videos of each fold.
        seed: decides everything that is rendered.
        workers: number of processes, by default one a core.

    Raises:
        DataError: `root` holds something else, or as `prepare_mosei` says.
    """
    from filelock import FileLock

    from datamodules.prepare.mosei import prepare_mosei

    root, raw = Path(root), Path(raw)
    wanted = {
        "protocol": protocol,
        "settings": asdict(settings),
        "rendered": rendering(videos, seed),
    }
    raw.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(raw.with_name(f"{raw.name}.lock")):
        if (root / MANIFEST).exists():
            manifest = read_manifest(root)
            there = {**manifest, "rendered": manifest["source"].get("rendered")}
            different = differences({name: there.get(name) for name in wanted}, wanted)
            if different:
                raise DataError(
                    f"{root}: holds another data set than the sample that was asked for "
                    f"({'; '.join(different)}); delete the folder and the next run makes it anew"
                )
            return
        render_mosei(raw, videos=videos, seed=seed)
        prepare_mosei(
            raw,
            root,
            protocol=protocol,
            settings=settings,
            text_encoder=raw / ENCODER,
            folds=raw / FOLDS,
            workers=workers,
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
    label = raw / RENDERED
    if label.is_file() and json.loads(label.read_text()) == description:
        return
    if raw.exists() and not label.is_file():
        raise DataError(f"{raw}: expected no folder or a rendered one, found other files")
    partial = raw.with_name(f"{raw.name}.partial")
    for folder in (raw, partial):
        shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir(parents=True)
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
    (partial / RENDERED).write_text(json.dumps(description))
    partial.rename(raw)


def _folds(named: list[str], unlabelled: str, videos: Mapping[str, int]) -> dict[str, list[str]]:
    """Deal the videos out to the folds; the one without labels is a test video, as in the real."""
    left = iter(named)
    folds = {fold: [next(left) for _ in range(count)] for fold, count in videos.items()}
    return {**folds, "test": [*folds["test"], unlabelled]}
