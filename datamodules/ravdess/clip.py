"""One RAVDESS clip -> its arrays: the work of one sample, run in a worker process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from datamodules.formats.openface import mean_action_units, read_tracking
from datamodules.formats.sound import read_sound
from datamodules.formats.video import Track, look_at, read_frames
from datamodules.packed.chunks import Prepared
from datamodules.packed.errors import DataError, reading
from datamodules.packed.settings import check_settings
from datamodules.ravdess.faces import check_lengths, choose_frames, crop_face, face_boxes
from datamodules.ravdess.mfcc import FrontEnd, fit_to_window, mfcc


@dataclass(frozen=True)
class RavdessSettings:
    """The settings that act in prepare.

    Args:
        frames: face crops a clip.
        size: height and width of a crop.
        frame_choice: `consecutive` frames from the middle of the clip (the paper's text), or
            `spread` evenly over it (the released code).
        face_source: crop the face out of the full `frame`, or out of the frame `squeezed` to
            size x size first (the released code).
        mfcc: what resamples and transforms the sound: `torchaudio`, with the resampling filter of
            the paper's librosa 0.8, or today's `librosa`.
        sample_rate: Hz that the sound is resampled to.
        offset: seconds left out at the beginning.
        duration: seconds of sound used.
        n_mfcc: coefficients kept.
        n_fft: samples of one analysis window.
        hop_length: samples between windows.
    """

    frames: int = 30
    size: int = 224
    frame_choice: Literal["consecutive", "spread"] = "consecutive"
    face_source: Literal["frame", "squeezed"] = "frame"
    mfcc: FrontEnd = "torchaudio"
    sample_rate: int = 44100
    offset: float = 0.5
    duration: float = 2.45
    n_mfcc: int = 13
    n_fft: int = 2048
    hop_length: int = 512

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Clip:
    """The files that one clip is made from; `None` where its modality is not packed."""

    video: Path | None
    tracking: Path | None
    sound: Path | None
    action_units: np.ndarray | None  # (35,) from a table; else they come from `tracking`


@dataclass(frozen=True)
class PrepareClip:
    """Clip -> arrays. Callable and picklable, so that worker processes can have it."""

    raw: Path | None
    settings: RavdessSettings
    modalities: tuple[str, ...]
    too_short: ClassVar[str] = "ask for fewer frames or leave the clip out"

    def __call__(self, clip: Clip) -> Prepared:
        """Read, decode and transform one clip.

        Raises:
            DataError: a file of the clip is not usable; the message has paths relative to `raw`,
                where there is one.
        """
        prepared = Prepared({})
        work = {"video": self._video, "audio": self._audio, "action_units": self._action_units}
        try:
            for modality in self.modalities:
                work[modality](clip, prepared)
        except DataError as error:
            if self.raw is None:
                raise
            raise DataError(str(error).replace(f"{self.raw}/", "")) from error
        return prepared

    def frames_of(self, clip: Clip, track: Track) -> Sequence[int]:
        """Return the numbers of the frames to choose from; those of a data set are all alike."""
        return range(track.frames)

    def find_faces(
        self, clip: Clip, track: Track, wanted: Sequence[int], prepared: Prepared
    ) -> tuple[np.ndarray, int]:
        """Return the face's box in each wanted frame, as `face_boxes` does."""
        assert clip.tracking is not None
        with reading(clip.tracking):
            tracking = read_tracking(clip.tracking, landmarks=True)
            warning = check_lengths(tracking, track.frames, clip.tracking)
            prepared.warnings.extend([warning] if warning else [])
            return face_boxes(tracking, wanted, (track.height, track.width), clip.tracking)

    def crop(self, image: np.ndarray, number: int, box: np.ndarray) -> np.ndarray:
        """Cut a face out of a frame."""
        return crop_face(image, box, size=self.settings.size, source=self.settings.face_source)

    def _audio(self, clip: Clip, prepared: Prepared) -> None:
        settings = self.settings
        assert clip.sound is not None
        with reading(clip.sound):
            sound = read_sound(clip.sound, offset=settings.offset, duration=settings.duration)
        if not np.isfinite(sound.samples).all():
            raise DataError(f"{clip.sound}: expected finite samples, found NaN; fetch it again")
        samples, padded = fit_to_window(
            sound,
            sample_rate=settings.sample_rate,
            duration=settings.duration,
            front_end=settings.mfcc,
        )
        prepared.arrays["audio"] = mfcc(
            samples,
            sample_rate=settings.sample_rate,
            n_mfcc=settings.n_mfcc,
            n_fft=settings.n_fft,
            hop_length=settings.hop_length,
            front_end=settings.mfcc,
        )
        prepared.marks.extend(["padded"] * padded + ["stereo"] * (sound.channels > 1))

    def _action_units(self, clip: Clip, prepared: Prepared) -> None:
        if clip.action_units is not None:
            prepared.arrays["action_units"] = clip.action_units
            return
        assert clip.tracking is not None
        with reading(clip.tracking):
            tracking = read_tracking(clip.tracking, action_units=True)
            prepared.arrays["action_units"] = mean_action_units(tracking, clip.tracking)

    def _video(self, clip: Clip, prepared: Prepared) -> None:
        assert clip.video is not None
        settings = self.settings
        with reading(clip.video):
            track = look_at(clip.video)
            there = self.frames_of(clip, track)
        if len(there) < settings.frames:
            raise DataError(
                f"{clip.video}: expected at least {settings.frames} frames, found {len(there)}; "
                f"{self.too_short}"
            )
        chosen = choose_frames(len(there), settings.frames, settings.frame_choice)
        wanted = [there[place] for place in chosen]
        boxes, borrowed = self.find_faces(clip, track, wanted, prepared)
        faces = dict(zip(wanted, boxes, strict=True))
        with reading(clip.video):
            prepared.arrays["video"] = read_frames(
                clip.video,
                wanted,
                change=lambda image, number: self.crop(image, number, faces[number]),
            )
        prepared.marks.extend(["borrowed_face"] * (borrowed > 0))
