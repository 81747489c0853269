"""A small rendered RAVDESS in the raw layout of the real one: drawn faces, synthetic voices.

24 actors, 8 emotions, 2 statements, 2 repetitions make 768 clips: an mp4 with sound and a landmark
csv each. From there on it takes the way of the real data: prepare, packed set, datamodule.
`emotions.py` says what is in it and how it was fixed.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from datamodules.formats.ravdess_name import ACTORS, AUDIO_VIDEO, EMOTIONS, SPEECH, ClipName
from datamodules.packed.sample import RenderedSample
from datamodules.ravdess.prepare import TASK, RavdessSettings, prepare_ravdess
from datamodules.ravdess.sample.performance import FPS, perform
from datamodules.ravdess.sample.recording import write_mp4, write_tracking
from datamodules.ravdess.sample.voice import RATE

_NORMAL = 1  # intensity


@dataclass(kw_only=True)
class RavdessSample(RenderedSample):
    """The rendered RAVDESS, as `RenderedSample` says.

    Args:
        actors: number of actors, those from 1 on.
    """

    task = TASK
    version = 3  # a change of any pixel or sample, rendered or packed, raises it
    settings: RavdessSettings
    actors: int = ACTORS

    @property
    def content(self) -> dict[str, Any]:
        return {"actors": list(range(1, self.actors + 1))}

    def write(self, folder: Path) -> None:
        actors = range(1, self.actors + 1)
        fields = product(range(1, len(EMOTIONS) + 1), [_NORMAL], (1, 2), (1, 2), actors)
        for actor in actors:
            (folder / f"Actor_{actor:02d}").mkdir(parents=True)
        names = [ClipName(AUDIO_VIDEO, SPEECH, *values) for values in fields]
        self.render_each(render_clip, folder, names)

    def prepare(self) -> Path:
        return prepare_ravdess(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            workers=self.workers,
        )


def render_clip(raw: Path, name: ClipName, seed: int) -> None:
    """Write one clip's mp4 and csv."""
    clip = perform(name, seed)
    path = raw / f"Actor_{name.actor:02d}" / f"{name.id}.mp4"
    write_mp4(path, clip.images, FPS, clip.samples, RATE)
    write_tracking(path.with_suffix(".csv"), FPS, clip.confidence, clip.points, clip.action_units)
