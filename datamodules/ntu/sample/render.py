"""A small rendered NTU RGB+D in the raw layout of the real one: drawn figures and their skeletons.

40 subjects do ten of the sixty actions before three cameras: 1200 samples, an avi and a skeleton
file each. From there on it takes the way of the real data: prepare, packed set, datamodule. It has
the real one's faults, too: bodies that are none, persons lost and found again under another id.
`actions.py` says what is in it and how it was fixed.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from datamodules.formats.ntu_name import SampleName
from datamodules.ntu.prepare import TASK, NtuSettings, prepare_ntu
from datamodules.ntu.sample.actions import FPS, LABELS
from datamodules.ntu.sample.files import write_avi, write_skeleton
from datamodules.ntu.sample.performance import perform
from datamodules.ntu.sample.play import setup_of
from datamodules.packed.sample import RenderedSample

SUBJECTS = 40
CAMERAS = (1, 2, 3)


@dataclass(kw_only=True)
class NtuSample(RenderedSample):
    """The rendered NTU RGB+D, as `RenderedSample` says.

    Args:
        subjects: number of subjects, those from 1 on.
    """

    task = TASK
    version = 2  # a change of any byte, rendered or packed, raises it
    settings: NtuSettings
    subjects: int = SUBJECTS

    @property
    def content(self) -> dict[str, Any]:
        return {"subjects": list(range(1, self.subjects + 1))}

    def write(self, folder: Path) -> None:
        for name in ("nturgb+d_rgb", "nturgb+d_skeletons"):  # as the archives unpack
            (folder / name).mkdir(parents=True)
        self.render_each(render_subject, folder, range(1, self.subjects + 1))

    def prepare(self) -> Path:
        return prepare_ntu(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            workers=self.workers,
        )


def render_subject(raw: Path, subject: int, seed: int) -> None:
    """Write all samples of one subject."""
    for label, camera in product(LABELS, CAMERAS):
        render_sample(raw, SampleName(setup_of(subject), camera, subject, 1, label + 1), seed)


def render_sample(raw: Path, name: SampleName, seed: int) -> None:
    """Write one sample's avi and skeleton file."""
    recording = perform(name, seed)
    write_avi(raw / "nturgb+d_rgb" / f"{name.id}_rgb.avi", recording.images, FPS)
    write_skeleton(raw / "nturgb+d_skeletons" / f"{name.id}.skeleton", recording.frames)
