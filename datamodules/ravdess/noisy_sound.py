"""White noise on the recordings of RAVDESS, before anything is computed from them."""

import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.corruption.raw import RawCorruption, needed
from datamodules.formats.sound import read_sound
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.dataset import read_manifest
from datamodules.packed.source import RENDERED
from datamodules.packed.workers import progress
from datamodules.ravdess.clip import RavdessSettings
from datamodules.ravdess.files import find_ravdess_files
from datamodules.ravdess.prepare import prepare_ravdess


class NoisySound(RawCorruption):
    """White Gaussian noise on the sound, at a signal-to-noise ratio over the stretch that is used.

    The noise of a recording depends on its name alone, so that only its level differs between
    strengths.

    Args:
        strengths: signal-to-noise ratios in dB, from weak noise (a high ratio) to strong.
        workers: processes of `prepare`, by default one a core.
    """

    unit = "dB SNR"
    least = -60.0
    arrays = ("audio",)

    def __init__(self, *, strengths: Sequence[float], workers: int | None = None) -> None:
        super().__init__(strengths=strengths)
        self.workers = workers

    def pack_copy(
        self, data: PackedDataModule, raw: Path | None, work: Path, out: Path, strength: float
    ) -> None:
        raw = needed(raw, type(self).__name__, data.root)
        settings = RavdessSettings(**read_manifest(data.root)["settings"])
        files = find_ravdess_files(raw)
        sounds = {**files.video, **files.soundtrack, **files.sound}  # as prepare chooses
        with progress(f"sound at {strength:g} dB", len(sounds)) as done:
            for clip, source in sounds.items():
                write_noisy(source, work / f"03-{clip[3:]}.wav", settings, strength)
                done(1)
        if (raw / RENDERED).is_file():  # what comes from a sample stays one
            shutil.copy(raw / RENDERED, work / RENDERED)
        prepare_ravdess(work, out, protocol=data.protocol, settings=settings, workers=self.workers)


def write_noisy(source: Path, target: Path, settings: RavdessSettings, snr: float) -> None:
    """Write a recording with noise, up to the end of the stretch that is used.

    Args:
        source: wav, flac or video.
        target: wav of 32-bit floats, mono, which keeps what exceeds the full scale.
        settings: `offset` and `duration` say which stretch the ratio is over.
        snr: signal-to-noise ratio in dB.
    """
    import soundfile

    end = settings.offset + settings.duration
    sound = read_sound(source, offset=0, duration=end)
    used = sound.samples[int(settings.offset * sound.rate) :].astype(np.float64)
    power = float(np.mean(used**2)) / 10 ** (snr / 10)
    generator = np.random.default_rng(zlib.crc32(target.stem.encode()))
    noise = np.sqrt(power) * generator.standard_normal(len(sound.samples))
    noisy = (sound.samples + noise).astype(np.float32)
    soundfile.write(target, noisy, sound.rate, subtype="FLOAT")
