"""A clip of one's own -> a sample as RAVDESS is packed: frames of a face, sound, action units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.action_units import read_action_unit_table
from datamodules.formats.openface import ACTION_UNITS, Tracking, columns_of
from datamodules.formats.ravdess_name import parse_clip_name
from datamodules.formats.sound import read_sound
from datamodules.formats.text import read_table
from datamodules.formats.video import Track, frame_times, read_frames
from datamodules.own.files import Group, OwnFiles, batch_of, plural
from datamodules.own.kinds import kind_of, with_article
from datamodules.own.sample import OwnSample, View, Views, Wave
from datamodules.own.timing import at_rate, is_even, mean_rate
from datamodules.packed.chunks import Prepared
from datamodules.packed.errors import DataError, reading
from datamodules.ravdess.clip import Clip, PrepareClip, RavdessSettings
from datamodules.ravdess.detection import Detector, follow, haar, yunet
from datamodules.ravdess.faces import face_boxes

RATE = 30000 / 1001  # frames a second of the data set
WHOLE = "whole"  # as face: the whole frame is taken for the face
_SHOWN = 5  # frames that are drawn
_WIDTH = 240  # pixels of a frame that is drawn
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


@dataclass(frozen=True)
class PrepareOwnClip(PrepareClip):
    """A clip as prepare makes it, with faces found where there are no landmarks.

    Args:
        faces: finds them; `whole` takes the frame for the face; `None`: landmarks are there.
        rate: frames a second of what the network was trained on.
        notes: filled with what has to be known.
        views: filled with frames to draw.
    """

    faces: Detector | str | None
    rate: float
    notes: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)

    def frames_of(self, clip: Clip, track: Track) -> Sequence[int]:
        """Return the frames to choose from: as they are, or by time where their rate is another."""
        assert clip.video is not None
        times = frame_times(clip.video)
        if len(times) != track.frames or is_even(times, self.rate):
            return range(track.frames)
        there = at_rate(times, self.rate)
        self.notes.append(
            f"{plural(len(times), 'frame')}, {mean_rate(times):.3g} a second, taken by time at the "
            f"{self.rate:.4g} a second that the network knows"
        )
        return there

    def find_faces(
        self, clip: Clip, track: Track, wanted: Sequence[int], prepared: Prepared
    ) -> tuple[np.ndarray, int]:
        assert clip.video is not None
        places = np.linspace(0, len(wanted) - 1, min(_SHOWN, len(wanted)))
        self.shown.update(wanted[place] for place in places.round().astype(int))
        self.notes.append(f"frames {wanted[0]} to {wanted[-1]} of {track.frames} are looked at")
        if clip.tracking is not None and "landmarks" in columns_of(clip.tracking):
            return super().find_faces(clip, track, wanted, prepared)
        if self.faces is None:
            raise DataError(
                f"{clip.tracking}: expected OpenFace's landmarks (x_0..x_67, y_0..y_67), found "
                "none; track the video with -2Dfp"
            )
        if self.faces == WHOLE:
            boxes = np.tile([0, 0, track.width, track.height], (len(wanted), 1))
            return boxes, 0
        found = self._detect(clip.video, wanted)
        boxes, borrowed = face_boxes(found, wanted, (track.height, track.width), clip.video)
        if borrowed:
            told = f"no face was found in {borrowed} of {plural(len(wanted), 'frame')}"
            self.notes.append(f"{told}: they take the box of the nearest")
        return boxes, borrowed

    def _detect(self, video: Path, wanted: Sequence[int]) -> Tracking:
        """Return the faces as if they were landmarks, two corners each."""
        assert callable(self.faces)
        detect, numbers = self.faces, sorted(set(wanted))
        faces: list[np.ndarray] = []

        def look(image: np.ndarray, _: int) -> np.ndarray:
            faces.append(detect(image))
            return np.zeros(0)

        with reading(video):
            read_frames(video, numbers, change=look)
        followed = follow(faces)
        if followed is None:
            raise DataError(
                f"{video}: expected a face that looks into the camera, found none in "
                f"{plural(len(numbers), 'frame')}; give face=<OpenFace's csv of landmarks> or "
                f"face=<a YuNet model>, face={WHOLE} if the frames show a face alone, or "
                "without=[video]"
            )
        if followed.others:
            self.notes.append(
                f"{followed.others + 1} faces: the one that is largest in most frames is taken; "
                "face=<csv of landmarks> says another"
            )
        good = ~np.isnan(followed.boxes[:, 0])
        corners = np.nan_to_num(followed.boxes).reshape(-1, 2, 2)
        return Tracking(np.array(numbers) + 1, good, corners, np.zeros((len(numbers), 0)))

    def crop(self, image: np.ndarray, number: int, box: np.ndarray) -> np.ndarray:
        if number in self.shown:
            import cv2

            scale = _WIDTH / image.shape[1]
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            self.views.append(View(small, box * scale, number))
        return super().crop(image, number, box)


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
