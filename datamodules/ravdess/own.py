"""A clip of one's own -> a sample as RAVDESS is packed: frames of a face, sound, action units."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.action_units import read_action_unit_table
from datamodules.formats.openface import ACTION_UNITS, columns_of
from datamodules.formats.ravdess_name import parse_clip_name
from datamodules.formats.sound import read_sound
from datamodules.formats.text import read_table
from datamodules.own.files import Group, OwnFiles, batch_of
from datamodules.own.kinds import kind_of, with_article
from datamodules.own.sample import OwnSample, Views, Wave
from datamodules.packed.errors import DataError
from datamodules.ravdess.clip import Clip, RavdessSettings
from datamodules.ravdess.detection import Detector, haar, yunet
from datamodules.ravdess.own_clip import WHOLE, PrepareOwnClip

RATE = 30000 / 1001  # frames a second of the data set
_AFTER = 1.0  # seconds of sound that are drawn after those that are used


class OwnRavdess(OwnFiles):
    """Videos, sounds and action units of one's own.

    Args:
        settings: of prepare.
        rate: frames a second of what the network was trained on.
        modalities: of the network.
        without: those that are left out.
        options: `face`: a csv of landmarks by OpenFace, a model of YuNet (.onnx), or `whole`.
    """

    task = "ravdess"
    takes = "a video, a sound, or a csv of OpenFace or of action units"
    options = ("face",)

    def __init__(
        self,
        settings: RavdessSettings,
        *,
        rate: float,
        modalities: Sequence[str],
        without: Sequence[str],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(modalities, without, options)
        self.settings = settings
        self.rate = rate
        self.face = options.get("face")

    def role(self, path: Path) -> str:
        kind = kind_of(path)
        if kind in ("video", "silent video"):
            return "video"
        if kind == "sound":
            return "sound"
        if kind == "table":
            names = read_table(path).columns
            if "clip" in names:
                return "action_units"
            if columns_of(path):
                return "tracking"
            raise self.refuse(path, "a csv with neither landmarks nor action units")
        raise self.refuse(path, with_article(kind))

    def read(self, group: Group) -> OwnSample:
        clip, sample = self._clip(group)
        faces = self._faces() if clip.video is not None else None
        work = PrepareOwnClip(None, self.settings, tuple(sample.sources), faces, self.rate)
        prepared = work(clip)
        sample.batch = batch_of(prepared.arrays, self._shapes())
        sample.notes += [*work.notes, *prepared.warnings]
        end = self.settings.offset + self.settings.duration
        if "padded" in prepared.marks:
            sample.notes.append(f"the sound ends before {end:g} s; silence follows it")
        sample.views = Views(frames=work.views)
        if clip.sound is not None:
            sound = read_sound(clip.sound, offset=0, duration=end + _AFTER)
            sample.views.wave = Wave(sound.samples, sound.rate, (self.settings.offset, end))
        if "action_units" in prepared.arrays:
            units = prepared.arrays["action_units"].tolist()
            sample.views.values = dict(zip(ACTION_UNITS, units, strict=True))
        return sample

    def _clip(self, group: Group) -> tuple[Clip, OwnSample]:
        """Choose the file of each modality, and say where it is missing."""
        files = group.files
        video, tracking = files.get("video"), files.get("tracking")
        if self.face is not None and Path(str(self.face)).suffix.lower() == ".csv":
            tracking = Path(str(self.face))
        heard = video if video is not None and kind_of(video) == "video" else None
        sound, table = files.get("sound", heard), files.get("action_units")
        units = table or (tracking if tracking and "action_units" in columns_of(tracking) else None)
        found = {"video": video, "audio": sound, "action_units": units}
        sample = self.sort(
            {name: None if path is None else str(path) for name, path in found.items()},
            {
                "video": "no video was given",
                "audio": "the video has no sound" if video else "no sound was given",
                "action_units": "no csv with action units was given",
            },
        )
        there = {name: path for name, path in found.items() if name in sample.sources}
        row = None if table is None else _row(table, group)
        return Clip(there.get("video"), tracking, there.get("audio"), row), sample

    def _faces(self) -> Detector | str | None:
        """Return how faces are found; `None` where landmarks are read."""
        if self.face is None:
            return haar()
        if self.face == WHOLE:
            return WHOLE
        path = Path(str(self.face))
        if not path.is_file():
            raise DataError(
                f"face={self.face}: expected a csv of landmarks, a YuNet model (.onnx), or "
                f"face={WHOLE}, found no such file"
            )
        return None if path.suffix.lower() == ".csv" else yunet(path)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        s = self.settings
        steps = 1 + round(s.sample_rate * s.duration) // s.hop_length
        shapes: dict[str, tuple[int, ...]] = {
            "video": (s.frames, s.size, s.size, 3),
            "audio": (s.n_mfcc, steps),
            "action_units": (len(ACTION_UNITS),),
        }
        return {name: shapes[name] for name in self.modalities}


def _row(table: Path, group: Group) -> np.ndarray:
    """Return the action units of a clip from a table: its own row, or the only one."""
    rows = read_action_unit_table(table)
    names = [group.name, *(_id_of(path) for path in group.files.values() if path != table)]
    found = next((rows[name] for name in names if name in rows), None)
    if found is not None:
        return found
    if len(rows) != 1:
        raise DataError(
            f"{table}: expected a row of the clip {names[-1]}, or a single one, found {len(rows)} "
            f"of others, such as {next(iter(rows), 'none')}; name the file after a row"
        )
    return next(iter(rows.values()))


def _id_of(path: Path) -> str:
    """Return what a table calls a clip: in the data set, by its video's name."""
    try:
        return parse_clip_name(path).id
    except DataError:
        return path.name.partition(".")[0]
