"""Sound -> MFCC, by librosa."""

import math

import numpy as np

from datamodules.formats.sound import Sound


def fit_to_window(sound: Sound, *, sample_rate: int, duration: float) -> tuple[np.ndarray, bool]:
    """Resample, then cut or zero-pad to exactly `duration` seconds.

    Returns:
        (S,) float32, and whether the sound ends before the window does, by more than one of its
        own samples: what rounding leaves open is filled too, and is no lack of sound.
    """
    import librosa

    samples = sound.samples
    if sound.rate != sample_rate:
        samples = librosa.resample(samples, orig_sr=sound.rate, target_sr=sample_rate)
    length = round(sample_rate * duration)
    missing = max(length - len(samples), 0)
    rounding = math.ceil(sample_rate / sound.rate)
    return np.pad(samples[:length], (0, missing)), missing > rounding


def mfcc(
    samples: np.ndarray, *, sample_rate: int, n_mfcc: int, n_fft: int, hop_length: int
) -> np.ndarray:
    """Mel-frequency cepstral coefficients, (n_mfcc, 1 + S // hop_length) float32.

    librosa filled the borders by reflection until 0.9 changed it to zeros; the paper's code pinned
    0.8, so reflection is asked for here. Frames 0, 1, 210 and 211 of 212 depend on it.
    """
    import librosa

    return librosa.feature.mfcc(
        y=samples,
        sr=sample_rate,
        n_mfcc=n_mfcc,
        n_fft=n_fft,
        hop_length=hop_length,
        pad_mode="reflect",
    ).astype(np.float32)
