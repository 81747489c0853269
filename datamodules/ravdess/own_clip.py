"""A clip of one's own as prepare makes it: frames by time, faces found where nobody says where.

Legend: F frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from datamodules.formats.openface import Tracking, columns_of
from datamodules.formats.video import Track, frame_times, read_frames
from datamodules.own.files import plural
from datamodules.own.sample import View, drawn
from datamodules.own.timing import at_rate, is_even, mean_rate
from datamodules.packed.chunks import Prepared
from datamodules.packed.errors import DataError, reading
from datamodules.ravdess.clip import Clip, PrepareClip
from datamodules.ravdess.detection import Detector, follow
from datamodules.ravdess.faces import face_boxes

WHOLE = "whole"  # as face: the whole frame is taken for the face


@dataclass(frozen=True)
class PrepareOwnClip(PrepareClip):
    """A clip as prepare makes it, with faces found where there are no landmarks.

    Args:
        faces: finds them; `whole` takes the frame for the face; `None`: landmarks are there.
        rate: frames a second of what the network was trained on.
        notes: filled with what has to be known.
        views: filled with frames to draw.
        shown: filled with the numbers of those frames.
        times: filled with the seconds of all frames, where they are known.
    """

    faces: Detector | str | None
    rate: float
    notes: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)
    times: list[float] = field(default_factory=list)
    too_short: ClassVar[str] = "give a longer clip, or leave its frames out by without=[video]"

    def frames_of(self, clip: Clip, track: Track) -> Sequence[int]:
        """Return the frames to choose from: as they are, or by time where their rate is another."""
        assert clip.video is not None
        times = frame_times(clip.video)
        self.times.extend(times if len(times) == track.frames else [])
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
        self.shown.update(wanted[place] for place in drawn(len(wanted)))
        self.notes.append(f"frames {wanted[0]} to {wanted[-1]} of {track.frames} are looked at")
        heard = self.settings.offset + self.settings.duration
        if "audio" in self.modalities and self.times and self.times[wanted[0]] > heard:
            self.notes.append(
                f"the frames begin at {self.times[wanted[0]]:.1f} s, and the sound that is used "
                f"ends at {heard:g} s: cut a clip of about 4 s to have both of one moment"
            )
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
            self.views.append(View.of(image, number, box))
        return super().crop(image, number, box)
