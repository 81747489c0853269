from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from datamodules.formats.sound import Sound, read_sound
from datamodules.ravdess.mfcc import FrontEnd, fit_to_window, mfcc, resample
from tests.sample_data import REAL_DATA, needs_real_data

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
        samples, padded = fit_to_window(
            sound, sample_rate=RATE, duration=2.45, front_end="torchaudio"
        )
        assert (len(samples), padded) == (108045, short)


@cache
def recordings() -> list[np.ndarray]:
    """12 made-up ones, 2.45 s: voices of changing pitch, with noise, from loud to silent."""
    random = np.random.default_rng(1)
    time = np.arange(108045) / RATE
    found = []
    for _ in range(12):
        pitch = 100 + 150 * random.random() * np.sin(2 * np.pi * time * random.uniform(0.3, 2)) ** 2
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        voice = sum(np.sin(k * phase) / k for k in range(1, 12))
        fade = np.clip(time / random.uniform(0.1, 2), 0, 1) ** random.integers(0, 4)
        noise = random.uniform(0, 0.3) * random.normal(size=len(time))
        loud = 10.0 ** random.uniform(-4, -0.5)
        found.append((loud * fade * (voice + noise)).astype(np.float32))
    found[-1][54000:] = 0  # digital silence, and
    found[-2][:] = 0  # nothing else
    return found


@pytest.mark.parametrize("front_end", ["torchaudio", "librosa"])
def test_shape_and_librosa(front_end: FrontEnd) -> None:
    lowest, highest = 0.0, 0.0
    for samples in recordings():
        found = mfcc(samples, **SETTINGS, front_end=front_end)
        expected = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13, pad_mode="reflect")
        assert found.shape == (13, 212)
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() < (2e-3 if front_end == "torchaudio" else 1e-30)
        lowest, highest = min(lowest, found.min()), max(highest, found.max())
    assert lowest < -800 and highest > 150  # the range that real recordings have


@needs_real_data
def test_real_recordings_by_torchaudio_are_as_librosa_has_them() -> None:
    files = sorted(REAL_DATA.glob("ravdess_speech/*/*.flac"))[::36]
    assert len(files) == 40
    for file in files:
        samples = read_sound(file, offset=0.5, duration=2.45).samples
        found = mfcc(samples, **SETTINGS, front_end="torchaudio")
        expected = mfcc(samples, **SETTINGS, front_end="librosa")
        assert np.abs(found - expected).max() < 2e-3


@pytest.mark.parametrize("front_end", ["torchaudio", "librosa"])
def test_from_scratch(front_end: FrontEnd) -> None:
    samples = noise(2.45)
    found = mfcc(samples, **SETTINGS, front_end=front_end)
    assert np.abs(found - from_scratch(samples)).max() < 2e-3


@pytest.mark.parametrize("front_end", ["torchaudio", "librosa"])
def test_the_border_is_reflected_and_matters(front_end: FrontEnd) -> None:
    samples = noise(2.45)
    zeros = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13, pad_mode="constant")
    found = mfcc(samples, **SETTINGS, front_end=front_end)
    differ = np.flatnonzero(np.abs(found - zeros).max(0) > 1e-2)
    assert set(differ) <= {0, 1, 210, 211}
    assert len(differ) > 1


def windowed_sinc(samples: np.ndarray, rate: int, wanted: int, at: np.ndarray) -> np.ndarray:
    """Output samples `at` some places, each as a plain sum over the input.

    The ideal low pass at 0.9476 of the lower of both Nyquist frequencies, 64 zero crossings to each
    side, under a Kaiser window of beta 14.77: `kaiser_best` as resampy's documentation gives it.
    """
    cutoff = 0.9475937167399596 * min(rate, wanted)  # twice the frequency where it ends, Hz
    reach = 64 / cutoff  # seconds
    time = np.arange(len(samples)) / rate
    found = []
    for place in at:
        distance = time - place / wanted
        near = np.abs(distance) < reach
        window = np.i0(14.769656459379492 * np.sqrt(1 - (distance[near] / reach) ** 2))
        window /= np.i0(14.769656459379492)
        sinc = np.sinc(cutoff * distance[near])
        found.append(cutoff / rate * np.sum(samples[near].astype(np.float64) * sinc * window))
    return np.array(found)


@pytest.mark.parametrize("rate", [48000, 16000, 22050])
def test_torchaudio_resamples_by_the_filter_of_the_papers_librosa(rate: int) -> None:
    native = noise(0.3, rate)
    found = resample(native, rate, RATE, "torchaudio")
    assert abs(len(found) - len(native) * RATE / rate) <= 1
    at = np.random.default_rng(2).choice(len(found), 200, replace=False)
    assert np.abs(found[at] - windowed_sinc(native, rate, RATE, at)).max() < 1e-5


def test_librosa_resamples_as_it_does_today() -> None:
    native = noise(2.45, 48000)
    found, padded = fit_to_window(
        Sound(native, 48000, 1), sample_rate=RATE, duration=2.45, front_end="librosa"
    )
    assert not padded
    assert np.array_equal(found, librosa.resample(native, orig_sr=48000, target_sr=RATE))
    assert len(found) == 108045


def test_a_short_window_is_filled_with_zeros() -> None:
    found, padded = fit_to_window(
        Sound(noise(2.0), RATE, 1), sample_rate=RATE, duration=2.45, front_end="torchaudio"
    )
    assert padded
    assert np.array_equal(found[:88200], noise(2.0))
    assert not found[88200:].any()
    assert len(found) == 108045
