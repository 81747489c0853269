"""A small rendered UTD-MHAD in the raw layout of the real one: an acting figure and a sensor on it.

Eight subjects do nine of the 27 actions three times: 216 recordings, a file of each modality. From
there on it takes the way of the real data: prepare, packed set, datamodule. `actions.py` says what
is in it and how it was fixed.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from datamodules.formats.utd_mhad_name import SUBJECTS, RecordingName
from datamodules.packed.sample import RenderedSample
from datamodules.utd_mhad.prepare import TASK, prepare_utd_mhad
from datamodules.utd_mhad.recording import UtdMhadSettings
from datamodules.utd_mhad.sample.actions import LABELS
from datamodules.utd_mhad.sample.performance import perform

TRIALS = 3
FOLDERS = {"skeleton": "Skeleton", "inertial": "Inertial", "depth": "Depth"}  # as unpacked
KEYS = {"skeleton": "d_skel", "inertial": "d_iner", "depth": "d_depth"}


@dataclass(kw_only=True)
class UtdMhadSample(RenderedSample):
    """The rendered UTD-MHAD, as `RenderedSample` says.

    Args:
        trials: of each action and subject.
    """

    task = TASK
    version = 1  # a change of any byte, rendered or packed, raises it
    settings: UtdMhadSettings
    trials: int = TRIALS

    @property
    def content(self) -> dict[str, Any]:
        return {"trials": self.trials}

    def write(self, folder: Path) -> None:
        for name in FOLDERS.values():
            (folder / name).mkdir(parents=True)
        names = product(range(1, SUBJECTS + 1), range(1, self.trials + 1))
        self.render_each(render_round, folder, list(names))

    def prepare(self) -> Path:
        return prepare_utd_mhad(
            self.raw,
            self.root,
            protocol=self.protocol,
            settings=self.settings,
            workers=self.workers,
        )


def render_round(raw: Path, which: tuple[int, int], seed: int) -> None:
    """Write every action of one subject and trial."""
    for label in LABELS:
        render_recording(raw, RecordingName(label + 1, *which), seed)


def render_recording(raw: Path, name: RecordingName, seed: int) -> None:
    """Write the three files of one recording."""
    from scipy.io import savemat

    recording = perform(name, seed)
    for modality, folder in FOLDERS.items():
        path = raw / folder / f"{name.id}_{modality}.mat"
        savemat(path, {KEYS[modality]: getattr(recording, modality)}, do_compression=True)
