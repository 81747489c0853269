import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.formats.sound import read_sound
from datamodules.packed.errors import DataError
from datamodules.ravdess.sample.recording import write_mp4
from tests.sample_data import REAL_DATA, needs_real_data

RATE = 8000
NO_SOUND = np.zeros(0, np.float32)


def chirp(seconds: float, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.float32)


def frames() -> np.ndarray:
    return np.zeros((8, 32, 48, 3), np.uint8)


def test_wav_against_the_standard_library(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", chirp(2), RATE, subtype="PCM_16")
    with wave.open(str(tmp_path / "a.wav")) as file:
        whole = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    sound = read_sound(tmp_path / "a.wav", offset=0.5, duration=0.75)
    assert (sound.rate, sound.channels) == (RATE, 1)
    assert np.array_equal(sound.samples, whole[4000:10000].astype(np.float32))


def test_stereo_is_averaged(tmp_path: Path) -> None:
    both = np.stack([chirp(1), -0.5 * chirp(1)], 1)
    soundfile.write(tmp_path / "a.flac", both, RATE)
    sound = read_sound(tmp_path / "a.flac", offset=0, duration=1)
    assert sound.channels == 2
    assert np.allclose(sound.samples, both.mean(1), atol=1e-4)


def test_a_short_file_gives_what_there_is(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", chirp(1), RATE)
    assert len(read_sound(tmp_path / "a.flac", offset=0.5, duration=2).samples) == 4000


def test_sound_track_stands_where_it_was_written(tmp_path: Path) -> None:
    noise = np.convolve(np.random.default_rng(0).uniform(-1, 1, 144000), np.ones(30) / 30, "same")
    samples = noise.astype(np.float32)
    write_mp4(tmp_path / "a.mp4", frames(), 4, samples, 48000)
    sound = read_sound(tmp_path / "a.mp4", offset=0.5, duration=1.5)
    expected = samples[24000:96000]
    assert sound.samples.shape == expected.shape
    shifted = [
        np.corrcoef(sound.samples[50:-50], np.roll(expected, k)[50:-50])[0, 1] for k in (-1, 0, 1)
    ]
    assert shifted[1] > 0.97  # AAC loses a little of a noise; one sample off gives 0.955
    assert shifted[1] > max(shifted[0], shifted[2])


def test_mp4_without_sound(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", frames(), 4, NO_SOUND, 48000)
    with pytest.raises(DataError, match=r"a\.mp4: expected a sound track, found none"):
        read_sound(tmp_path / "a.mp4", offset=0.5, duration=1)


def test_sound_that_ends_before_the_window(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", chirp(0.4), RATE)
    with pytest.raises(DataError, match=r"expected sound after 0\.5 s, found none"):
        read_sound(tmp_path / "a.wav", offset=0.5, duration=1)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp4"])
def test_not_a_sound_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no sound at all" * 20)
    with pytest.raises(DataError, match="expected a readable"):
        read_sound(tmp_path / name, offset=0.5, duration=1)


def test_cut_off_flac(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE)
    soundfile.write(tmp_path / "a.flac", noise, RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.flac"):
        read_sound(tmp_path / "a.flac", offset=0.5, duration=3)


def test_a_flac_that_states_no_length(tmp_path: Path) -> None:
    """As an encoder writes it that cannot go back: the total in STREAMINFO is 0."""
    soundfile.write(tmp_path / "a.flac", chirp(2), RATE)
    expected = read_sound(tmp_path / "a.flac", offset=0.5, duration=1).samples
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0  # the total's 36 bits: half a byte, and four
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    found = read_sound(tmp_path / "a.flac", offset=0.5, duration=1).samples
    assert len(found) == RATE
    assert np.array_equal(found, expected)


def test_cut_off_wav(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", chirp(4), RATE)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"expected at least {len(whole)} bytes, .*it is cut off"):
        read_sound(tmp_path / "a.wav", offset=0.5, duration=1)


@pytest.mark.parametrize(
    ("rate", "samples"), [(11025, 27012), (22050, 54023), (44100, 108045), (48000, 117600)]
)
def test_a_stretch_is_covered(tmp_path: Path, rate: int, samples: int) -> None:
    """2.45 s are 27011.25 samples at 11025 Hz, and 108045 at 44100 Hz, not one more."""
    soundfile.write(tmp_path / "a.wav", chirp(4, rate), rate)
    assert len(read_sound(tmp_path / "a.wav", offset=0.5, duration=2.45).samples) == samples


@pytest.mark.real
@needs_real_data
def test_real_sound_track_is_the_separate_recording() -> None:
    video = REAL_DATA / "ravdess_clip" / "01-01-08-02-01-01-19.mp4"
    flac = REAL_DATA / "ravdess_speech" / "Actor_19" / "03-01-08-02-01-01-19.flac"
    window = {"offset": 0.5, "duration": 2.45}
    one, other = read_sound(video, **window), read_sound(flac, **window)
    assert one.rate == other.rate == 48000
    spectrum = np.fft.rfft(one.samples, 2**18) * np.conj(np.fft.rfft(other.samples, 2**18))
    energy = np.linalg.norm(one.samples) * np.linalg.norm(other.samples)
    assert np.abs(np.fft.irfft(spectrum)).max() / energy > 0.9
