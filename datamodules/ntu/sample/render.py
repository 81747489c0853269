"""A small rendered NTU RGB+D in the raw layout of the real one: drawn figures and their skeletons.

40 subjects do ten of the sixty actions before three cameras: 1200 samples, an avi and a skeleton
file each. From there on it takes the way of the real data: prepare, packed set, datamodule. It has
the real one's faults, too: bodies that are none, persons lost and found again under another id.
`actions.py` says what is in it and how it was fixed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from datamodules.formats.ntu_name import SampleName
from datamodules.ntu.prepare import TASK, NtuSettings, prepare_ntu
from datamodules.ntu.sample.actions import FPS, LABELS
from datamodules.ntu.sample.files import write_avi, write_skeleton
from datamodules.ntu.sample.performance import perform
from datamodules.ntu.sample.play import setup_of
from datamodules.packed.sample import RenderedSample
from datamodules.rendering.once import render_each, render_once

VERSION = 1  # of what is rendered: a change of any byte raises it
SUBJECTS = 40
CAMERAS = (1, 2, 3)


@dataclass(kw_only=True)
class NtuSample(RenderedSample):
    """The rendered NTU RGB+D, as `RenderedSample` says.

    Args:
        subjects: number of subjects, those from 1 on.
    """

    task = TASK
    settings: NtuSettings
    subjects: int = SUBJECTS

    @property
    def rendering(self) -> dict[str, object]:
        return rendering(self._subjects, self.seed)

    def render_and_prepare(self) -> None:
        render_ntu(self.raw, subjects=self._subjects, seed=self.seed, workers=self.workers)
        prepare_ntu(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            workers=self.workers,
        )

    @property
    def _subjects(self) -> range:
        return range(1, self.subjects + 1)


def rendering(subjects: Iterable[int], seed: int) -> dict[str, object]:
    """What a rendered folder says about itself."""
    return {"generator": VERSION, "subjects": list(subjects), "seed": seed}


def render_ntu(
    raw: str | Path, *, subjects: Iterable[int], seed: int, workers: int | None = None
) -> None:
    """Render all samples of some subjects, unless that very rendering is there.

    Args:
        raw: the folder to make; another rendering there is replaced.
        subjects: 1 to 40.
        seed: decides everything.
        workers: number of processes, by default one a core.

    Raises:
        DataError: `raw` holds files that were not rendered.
    """
    raw = Path(raw)
    subjects = list(subjects)
    description = rendering(subjects, seed)

    def render(partial: Path) -> None:
        for folder in ("nturgb+d_rgb", "nturgb+d_skeletons"):  # as the archives unpack
            (partial / folder).mkdir(parents=True)
        render_each(render_subject, partial, subjects, seed, workers)

    render_once(raw, description, render)


def render_subject(raw: Path, subject: int, seed: int) -> None:
    """Write all samples of one subject."""
    for label, camera in product(LABELS, CAMERAS):
        render_sample(raw, SampleName(setup_of(subject), camera, subject, 1, label + 1), seed)


def render_sample(raw: Path, name: SampleName, seed: int) -> None:
    """Write one sample's avi and skeleton file."""
    recording = perform(name, seed)
    write_avi(raw / "nturgb+d_rgb" / f"{name.id}_rgb.avi", recording.images, FPS)
    write_skeleton(raw / "nturgb+d_skeletons" / f"{name.id}.skeleton", recording.frames)
