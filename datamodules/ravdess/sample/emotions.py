"""How the emotions of the rendered RAVDESS look and sound, and how far actors and clips stray.

Fixed before any fusion was trained on it. It was set by single-modality probes and by one plain
concatenation of their features, with the actors of the test part unseen, so that each modality is
in doubt between certain emotions and the two together in less: the face hardly tells neutral from
calm, angry from disgust, fearful from surprised; the voice hardly tells calm from sad, neutral from
disgust, happy from surprised, angry from fearful. It must never be tuned towards a fusion module.
"""

from dataclasses import dataclass, fields

import numpy as np

# Part of the clips that are spoilt, never both in one: there is always something to go by.
CORRUPTED_FACES = 0.10  # covered or blurred
CORRUPTED_VOICES = 0.10  # drowned in noise, or next to silent

STRENGTH = (0.7, 1.15)  # of an emotion in a clip
FACE_OF_ACTOR, FACE_OF_CLIP = 0.06, 0.09  # deviation of every part of the expression
VOICE_OF_ACTOR, VOICE_OF_CLIP = 0.45, 0.6  # the same for the voice, in units of `TONE_SPREAD`


@dataclass(frozen=True)
class Expression:
    """A face at one moment; 0 is at rest, 1 as far as it goes."""

    brow_raise: float = 0.0
    brow_inner: float = 0.0  # inner ends up
    brow_lower: float = 0.0  # down and together
    eye_open: float = 0.0
    lip_corner: float = 0.0  # up (smile) or down
    mouth_open: float = 0.0
    lip_stretch: float = 0.0
    upper_lip: float = 0.0  # up, with the nose wrinkled

    def array(self) -> np.ndarray:
        """(8,) in the order of the fields."""
        return np.array([getattr(self, entry.name) for entry in fields(self)])


@dataclass(frozen=True)
class Tone:
    """A way to speak, relative to the actor's own voice."""

    pitch: float = 0.0  # semitones
    span: float = 1.5  # semitones up and down
    slope: float = 0.0  # semitones from begin to end
    loudness: float = 0.0  # dB
    rate: float = 3.8  # syllables a second
    brightness: float = 0.0  # dB an octave
    breath: float = 0.1  # noise beside the tone

    def array(self) -> np.ndarray:
        """(7,) in the order of the fields."""
        return np.array([getattr(self, entry.name) for entry in fields(self)])


FACES = {
    "neutral": Expression(),
    "calm": Expression(lip_corner=0.15, eye_open=-0.2),
    "happy": Expression(lip_corner=0.9, eye_open=-0.3, mouth_open=0.3, lip_stretch=0.2),
    "sad": Expression(brow_inner=0.8, lip_corner=-0.6, eye_open=-0.35),
    "angry": Expression(brow_lower=0.9, eye_open=0.1, lip_corner=-0.35, upper_lip=0.25),
    "fearful": Expression(0.6, 0.45, 0.0, 0.7, -0.1, 0.35, 0.45, 0.0),
    "disgust": Expression(brow_lower=0.75, eye_open=-0.15, lip_corner=-0.35, upper_lip=0.6),
    "surprised": Expression(0.85, 0.2, 0.0, 0.7, 0.0, 0.6, 0.1, 0.0),
}
VOICES = {
    "neutral": Tone(),
    "calm": Tone(-1.0, 1.0, -0.5, -3.0, 3.3, -1.0, 0.25),
    "happy": Tone(4.0, 3.0, 0.5, 2.5, 4.4, 1.0, 0.1),
    "sad": Tone(-1.0, 0.8, -1.5, -4.5, 3.0, -1.4, 0.35),
    "angry": Tone(3.0, 2.0, -1.0, 7.0, 4.6, 2.2, 0.05),
    "fearful": Tone(4.5, 1.5, 0.5, 5.5, 5.0, 1.8, 0.2),
    "disgust": Tone(-1.0, 1.5, -2.0, 0.5, 3.4, 0.5, 0.1),
    "surprised": Tone(5.0, 3.5, 2.5, 2.0, 4.2, 0.8, 0.15),
}
TONE_SPREAD = Tone(1.5, 0.5, 0.8, 2.5, 0.35, 0.7, 0.06).array()
