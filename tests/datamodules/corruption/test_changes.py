"""Corruptions on a data set: the right rows, the right modality, the same for all runs."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from datamodules.corruption import Blur, FeatureNoise, TrainingMean, Zeros
from datamodules.corruption.base import Corruption
from datamodules.corruption.raw import RawCorruption
from datamodules.formats.sound import read_sound
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.dataset import INDEX, MANIFEST, file_hash, read_manifest, write_index
from datamodules.packed.errors import DataError
from datamodules.ravdess.clip import RavdessSettings
from datamodules.ravdess.datamodule import RAVDESS
from datamodules.ravdess.noisy_sound import NoisySound, write_noisy
from datamodules.ravdess.prepare import prepare_ravdess
from tests.datamodules.ravdess.test_datamodule import build
from tests.sample_data import SETTINGS

MODALITIES = ("video", "audio", "action_units")


def loaded(data: RAVDESS) -> dict[str, torch.Tensor]:
    """What is loaded of the test split, before it is normalised."""
    every = list(data.val_dataloader()[0])
    return {name: torch.cat([batch[name] for batch in every]) for name in (*MODALITIES, "id")}


def corrupted(
    data: RAVDESS, corruption: Corruption, modality: str, strength: float, folder: Path
) -> dict[str, torch.Tensor]:
    changes = corruption.changes(data, modality, strength, raw=None, copies=folder)
    data.change_evaluation(changes)
    found = loaded(data)
    data.change_evaluation({})
    return found


@pytest.mark.parametrize(
    ("corruption", "modality", "strength"),
    [
        (Zeros(), "video", 1),
        (TrainingMean(), "audio", 1),
        (Blur(strengths=[10]), "video", 10),
        (FeatureNoise(strengths=[1]), "action_units", 1),
    ],
)
def test_one_modality_of_the_test_split_is_changed_and_nothing_else(
    packed: Path, tmp_path: Path, corruption: Corruption, modality: str, strength: float
) -> None:
    data = build(packed)
    before = loaded(data)
    found = corrupted(data, corruption, modality, strength, tmp_path)
    for name in (*MODALITIES, "id"):
        assert torch.equal(found[name], before[name]) == (name != modality)
        assert found[name].dtype == before[name].dtype
    changed = (found[modality] != before[modality]).flatten(1).any(1)
    assert changed.all()
    assert all(
        torch.equal(x, y) for x, y in zip(loaded(data).values(), before.values(), strict=True)
    )


def test_training_batches_are_never_changed(packed: Path, tmp_path: Path) -> None:
    data = build(packed)
    data.change_evaluation(Zeros().changes(data, "audio", 1, raw=None, copies=tmp_path))
    batch = next(iter(data.train_dataloader()))
    assert (batch["audio"] != 0).flatten(1).any(1).all()


def test_all_runs_see_the_same_corrupted_samples(packed: Path, tmp_path: Path) -> None:
    noise = FeatureNoise(strengths=[1])
    one = build(packed, modalities=MODALITIES)
    other = build(packed, modalities=MODALITIES, seed=7, evaluation_batch_size=5)
    first = corrupted(one, noise, "action_units", 1, tmp_path)
    second = corrupted(other, noise, "action_units", 1, tmp_path)
    assert torch.equal(first["action_units"], second["action_units"])


@pytest.mark.parametrize("snr", [20.0, 0.0, -10.0])
def test_noise_has_the_ratio_that_it_says_over_the_stretch_that_is_used(
    tmp_path: Path, snr: float
) -> None:
    rate = 48000
    time = np.arange(int(3.5 * rate)) / rate
    clean = (0.3 * np.sin(2 * np.pi * 220 * time) * (time > 0.5)).astype(np.float32)
    soundfile.write(tmp_path / "clean.wav", clean, rate, subtype="FLOAT")
    write_noisy(tmp_path / "clean.wav", tmp_path / "noisy.wav", RavdessSettings(), snr)
    noisy, _ = soundfile.read(tmp_path / "noisy.wav", dtype="float32")
    used = slice(int(0.5 * rate), int(2.95 * rate))
    noise = noisy - clean[: len(noisy)]
    ratio = 10 * math.log10(np.mean(clean[used] ** 2) / np.mean(noise[used] ** 2))
    assert abs(ratio - snr) < 0.1
    share = np.abs(np.fft.rfft(noise)) ** 2
    low, high = share[: len(share) // 2].sum(), share[len(share) // 2 :].sum()
    assert 0.97 < low / high < 1.03  # white


def test_noise_goes_through_prepare_and_next_to_none_changes_next_to_nothing(
    raw: Path, tmp_path: Path
) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for source in sorted(raw.rglob("01-01-*.mp4"))[::16]:  # eight clips of all four actors
        sound = read_sound(source, offset=0, duration=9)
        soundfile.write(sounds / f"03{source.stem[2:]}.wav", sound.samples, sound.rate)
    options: dict[str, Any] = {"protocol": "paper", "settings": SETTINGS, "workers": 1}
    prepare_ravdess(sounds, tmp_path / "packed", **options)
    data = build(tmp_path / "packed", modalities=("audio",))
    before = torch.cat([batch["audio"] for batch in data.val_dataloader()[0]])
    corruption = NoisySound(strengths=[60], workers=1)
    copies = tmp_path / "copies"
    for _ in range(2):  # the second time there is nothing to make
        data.change_evaluation(corruption.changes(data, "audio", 60, raw=sounds, copies=copies))
        found = torch.cat([batch["audio"] for batch in data.val_dataloader()[0]])
        assert 0 < (found - before).abs().mean() < 0.02 * before.abs().mean()
        sounds = None  # type: ignore[assignment]
    assert len([path for path in copies.iterdir() if path.is_dir()]) == 1  # no raw file stays


class Reversed(RawCorruption):
    """Packs the same samples in another order, with a number added; some may be lost."""

    unit = "to add"
    arrays = ("action_units",)
    lost = 0

    def pack_copy(
        self, data: PackedDataModule, raw: Path | None, work: Path, out: Path, strength: float
    ) -> None:
        with (data.root / INDEX).open() as file:
            rows = list(csv.DictReader(file))[::-1][self.lost :]
        array = np.load(data.root / "action_units.npy")[::-1][self.lost :] + np.float32(strength)
        out.mkdir(parents=True)
        np.save(out / "action_units.npy", array)
        write_index(out / INDEX, rows)
        manifest = read_manifest(data.root)
        manifest["index"] |= {"rows": len(rows), "sha256": file_hash(out / INDEX)}
        manifest["modalities"]["action_units"]["shape"] = list(array.shape)
        (out / MANIFEST).write_text(json.dumps(manifest))


def test_rows_of_a_copy_are_found_by_their_names(packed: Path, raw: Path, tmp_path: Path) -> None:
    data = build(packed)
    before = loaded(data)
    change = Reversed(strengths=[3]).changes(data, "action_units", 3, raw=raw, copies=tmp_path)
    data.change_evaluation(change)
    assert torch.equal(loaded(data)["action_units"], before["action_units"] + 3)


def test_a_copy_without_some_samples(packed: Path, raw: Path, tmp_path: Path) -> None:
    corruption = Reversed(strengths=[3])
    corruption.lost = 5
    with pytest.raises(DataError, match=r"expected all 128 samples of the packed set, found 123"):
        corruption.changes(build(packed), "action_units", 3, raw=raw, copies=tmp_path)


def test_a_raw_folder_is_asked_for(packed: Path, tmp_path: Path) -> None:
    data = build(packed)
    with pytest.raises(DataError, match=r"NoisySound acts on raw files: expected raw=<"):
        NoisySound(strengths=[5]).changes(data, "audio", 5, raw=None, copies=tmp_path)
