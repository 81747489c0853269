from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from datamodules.formats.sound import Sound, read_sound
from datamodules.ravdess.mfcc import fit_to_window, mfcc

RATE, WINDOW, HOP, BANDS = 44100, 2048, 512, 128
SETTINGS = {"sample_rate": RATE, "n_mfcc": 13, "n_fft": WINDOW, "hop_length": HOP}


def noise(seconds: float, rate: int = RATE) -> np.ndarray:
    generator = np.random.default_rng(0)
    fade = np.linspace(0.01, 1, int(seconds * rate))
    return (fade * generator.uniform(-0.3, 0.3, len(fade))).astype(np.float32)


def slaney_filters() -> np.ndarray:
    """(bands, bins): triangles of equal area, spaced evenly on Slaney's mel scale."""
    log_step = np.log(6.4) / 27
    top = 15 + np.log(RATE / 2 / 1000) / log_step  # mel of the highest frequency
    mel = np.linspace(0, top, BANDS + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(log_step * (mel - 15)))
    hertz = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    heights = 2 / (edges[2:] - edges[:-2])
    return np.maximum(0, np.minimum(rising, falling)) * heights[:, None]


def from_scratch(samples: np.ndarray) -> np.ndarray:
    padded = np.pad(samples.astype(np.float64), WINDOW // 2, mode="reflect")
    steps = 1 + len(samples) // HOP
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    frames = np.stack([padded[i * HOP : i * HOP + WINDOW] * hann for i in range(steps)])
    power = np.abs(np.fft.rfft(frames)) ** 2
    level = 10 * np.log10(np.maximum(slaney_filters() @ power.T, 1e-10))
    level = np.maximum(level, level.max() - 80)
    angles = np.pi / BANDS * (np.arange(BANDS) + 0.5) * np.arange(13)[:, None]
    cosines = np.cos(angles) * np.sqrt(2 / BANDS)
    cosines[0] /= np.sqrt(2)
    return cosines @ level


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_rounding_is_no_lack_of_sound(tmp_path: Path, rate: int) -> None:
    """A recording of exactly 2.95 s fills the 2.45 s after 0.5 s; one of 2.94 s does not."""
    for seconds, short in ((2.95, False), (2.94, True), (4, False)):
        soundfile.write(tmp_path / "a.wav", noise(seconds, rate), rate)
        sound = read_sound(tmp_path / "a.wav", offset=0.5, duration=2.45)
        samples, padded = fit_to_window(sound, sample_rate=RATE, duration=2.45)
        assert (len(samples), padded) == (108045, short)


def test_shape_and_librosa() -> None:
    samples = noise(2.45)
    found = mfcc(samples, **SETTINGS)
    expected = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13, pad_mode="reflect")
    assert found.shape == (13, 212)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


def test_from_scratch() -> None:
    samples = noise(2.45)
    assert np.abs(mfcc(samples, **SETTINGS) - from_scratch(samples)).max() < 2e-3


def test_the_border_is_reflected_and_matters() -> None:
    samples = noise(2.45)
    zeros = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13, pad_mode="constant")
    differ = np.flatnonzero(np.abs(mfcc(samples, **SETTINGS) - zeros).max(0) > 1e-2)
    assert set(differ) <= {0, 1, 210, 211}
    assert len(differ) > 1


def test_window_is_resampled_as_librosa_does() -> None:
    native = noise(2.45, 48000)
    found, padded = fit_to_window(Sound(native, 48000, 1), sample_rate=RATE, duration=2.45)
    assert not padded
    assert np.array_equal(found, librosa.resample(native, orig_sr=48000, target_sr=RATE))
    assert len(found) == 108045


def test_a_short_window_is_filled_with_zeros() -> None:
    found, padded = fit_to_window(Sound(noise(2.0), RATE, 1), sample_rate=RATE, duration=2.45)
    assert padded
    assert np.array_equal(found[:88200], noise(2.0))
    assert not found[88200:].any()
    assert len(found) == 108045
