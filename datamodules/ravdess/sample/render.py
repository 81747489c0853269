"""A small rendered RAVDESS in the raw layout of the real one: drawn faces, synthetic voices.

24 actors, 8 emotions, 2 statements, 2 repetitions make 768 clips: an mp4 with sound and a landmark
csv each. From there on it takes the way of the real data: prepare, packed set, datamodule.
`emotions.py` says what is in it and how it was fixed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from datamodules.formats.ravdess_name import ACTORS, AUDIO_VIDEO, EMOTIONS, SPEECH, ClipName
from datamodules.packed.sample import RenderedSample
from datamodules.ravdess.prepare import TASK, RavdessSettings, prepare_ravdess
from datamodules.ravdess.sample.performance import FPS, perform
from datamodules.ravdess.sample.recording import write_mp4, write_tracking
from datamodules.ravdess.sample.voice import RATE
from datamodules.rendering.once import render_each, render_once

VERSION = 3  # of what is rendered: a change of any pixel or sample raises it
_NORMAL = 1  # intensity


@dataclass(kw_only=True)
class RavdessSample(RenderedSample):
    """The rendered RAVDESS, as `RenderedSample` says.

    Args:
        actors: number of actors, those from 1 on.
    """

    task = TASK
    settings: RavdessSettings
    actors: int = ACTORS

    @property
    def rendering(self) -> dict[str, object]:
        return rendering(self._actors, self.seed)

    def render_and_prepare(self) -> None:
        render_ravdess(self.raw, actors=self._actors, seed=self.seed, workers=self.workers)
        prepare_ravdess(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            workers=self.workers,
        )

    @property
    def _actors(self) -> range:
        return range(1, self.actors + 1)


def rendering(actors: Iterable[int], seed: int) -> dict[str, object]:
    """What a rendered folder says about itself."""
    return {"generator": VERSION, "actors": list(actors), "seed": seed}


def render_ravdess(
    raw: str | Path, *, actors: Iterable[int], seed: int, workers: int | None = None
) -> None:
    """Render all clips of some actors, unless that very rendering is there.

    Args:
        raw: the folder to make; another rendering there is replaced.
        actors: 1 to 24.
        seed: decides everything.
        workers: number of processes, by default one a core.

    Raises:
        DataError: `raw` holds files that were not rendered.
    """
    raw = Path(raw)
    description = rendering(actors, seed)

    def render(partial: Path) -> None:
        fields = product(range(1, len(EMOTIONS) + 1), [_NORMAL], (1, 2), (1, 2), actors)
        names = [ClipName(AUDIO_VIDEO, SPEECH, *values) for values in fields]
        for actor in actors:
            (partial / f"Actor_{actor:02d}").mkdir(parents=True)
        render_each(render_clip, partial, names, seed, workers)

    render_once(raw, description, render)


def render_clip(raw: Path, name: ClipName, seed: int) -> None:
    """Write one clip's mp4 and csv."""
    clip = perform(name, seed)
    path = raw / f"Actor_{name.actor:02d}" / f"{name.id}.mp4"
    write_mp4(path, clip.images, FPS, clip.samples, RATE)
    write_tracking(path.with_suffix(".csv"), FPS, clip.confidence, clip.points, clip.action_units)
