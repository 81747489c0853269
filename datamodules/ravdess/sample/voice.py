"""A synthetic voice: pulses through formants, with the pitch, loudness and pace of an emotion."""

from dataclasses import dataclass

import numpy as np

RATE = 48_000  # Hz, as RAVDESS
_HOP, _WINDOW = 512, 1024
_BINS = np.fft.rfftfreq(_WINDOW, 1 / RATE)[:214]  # Hz, up to 10 kHz; nothing is voiced above
_VOWELS = {  # formants in Hz and the width of their peaks
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (300, 2250, 3000, 3600),
    "o": (570, 880, 2410, 3300),
    "u": (320, 880, 2240, 3300),
}
_WIDTHS = np.array([90.0, 120.0, 180.0, 280.0])
STATEMENTS = ("ieaaioo", "oeiiaoo")  # vowels of "Kids are ..." and "Dogs are ... by the door"


@dataclass(frozen=True)
class Speaker:
    """What one actor's voice is like."""

    pitch: float = 160.0  # Hz
    tract: float = 1.0  # factor on all formants
    loudness: float = 0.0  # dB
    brightness: float = 0.0  # dB an octave
    pace: float = 1.0


def speak(
    speaker: Speaker,
    tone: np.ndarray,
    vowels: str,
    *,
    seconds: float,
    start: float,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Say one statement.

    Args:
        speaker: the actor's voice.
        tone: (7,) in the order of `Tone`.
        vowels: one syllable each.
        seconds: length of the sound.
        start: second at which the speech begins.
        generator: of the small irregularities.

    Returns:
        (S,) float32 at `RATE`, and how far the mouth is open at each of the S samples, 0 to 1.
    """
    pitch, span, slope, loudness, pace, brightness, breath = tone
    steps = int(seconds * RATE) // _HOP + 1
    time = np.arange(steps) * _HOP / RATE
    position = (time - start) * pace * speaker.pace  # in syllables
    syllable = np.clip(position.astype(int), 0, len(vowels) - 1)
    speaking = (position >= 0) & (position < len(vowels))
    stress = generator.uniform(0.55, 1.0, len(vowels))
    opened = np.where(speaking, np.sin(np.pi * (position % 1)) ** 0.7 * stress[syllable], 0.0)

    progress = np.clip(position / len(vowels), 0, 1) - 0.5
    wander = np.cumsum(generator.normal(0, 0.25, steps)) * 0.3
    melody = np.sin(2 * np.pi * (1.5 * progress + generator.uniform()))
    semitones = pitch + span * melody + slope * 2 * progress + np.clip(wander, -1, 1)
    frequency = speaker.pitch * 2 ** (semitones / 12)
    source = _pulses(frequency, steps * _HOP)
    noise = generator.standard_normal(len(source)) * 0.35

    gain = _formants(vowels, syllable, position % 1, speaker.tract)  # (steps, bins)
    tilt = (brightness + speaker.brightness) * np.log2(np.maximum(_BINS, 60) / 500)
    voiced = _filter(
        source * (1 - breath) + noise * breath, gain * 10 ** (tilt / 20) * opened[:, None]
    )
    peak = np.abs(voiced).max() + 1e-9
    level = 10 ** ((-20 + loudness + speaker.loudness) / 20)
    samples = voiced[: int(seconds * RATE)] / peak * level
    jaw = np.interp(np.arange(len(samples)) / RATE, time, opened)
    return samples.astype(np.float32), jaw


def _pulses(frequency: np.ndarray, length: int) -> np.ndarray:
    """Glottal flow, differentiated: a soft opening and a hard closing in every period."""
    steps = np.arange(length) / _HOP
    phase = np.cumsum(np.interp(steps, np.arange(len(frequency)), frequency)) / RATE % 1
    pulse = np.sin(np.pi * phase / 0.65) * (phase < 0.65) * (0.4 - phase) * 3
    return pulse - pulse.mean()


def _formants(vowels: str, syllable: np.ndarray, part: np.ndarray, tract: float) -> np.ndarray:
    """Gain of the vocal tract, (steps, bins), gliding from one vowel to the next."""
    targets = np.array([_VOWELS[vowel] for vowel in vowels], dtype=float) * tract  # (V, 4)
    following = targets[np.minimum(syllable + 1, len(vowels) - 1)]
    glide = np.clip(part * 2 - 1, 0, 1)[:, None] ** 2
    centres = targets[syllable] * (1 - glide) + following * glide  # (steps, 4)
    ratio = (_BINS[None, :, None] / centres[:, None]) ** 2  # (steps, bins, 4)
    width = ((_WIDTHS / centres) ** 2)[:, None] * ratio
    return ((1 - ratio) ** 2 + width).prod(-1) ** -0.3


def _filter(source: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Multiply the short-time spectrum, window by window, and add the windows up again."""
    padded = np.pad(source, (_HOP, _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: len(gain)]
    window = np.hanning(_WINDOW + 1)[:-1]
    spectra = np.fft.rfft(frames * window)
    spectra[:, : len(_BINS)] *= gain
    spectra[:, len(_BINS) :] = 0
    pieces = np.fft.irfft(spectra)
    out = np.zeros(len(padded))
    for half in (slice(0, None, 2), slice(1, None, 2)):  # windows of one half do not overlap
        joined = pieces[half].ravel()
        begin = (half.start or 0) * _HOP
        out[begin : begin + len(joined)] += joined[: len(out) - begin]
    return out[_HOP:]
