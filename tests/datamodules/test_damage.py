"""Packed sets and raw files, each damaged in many ways: an error that names the file, or a result.

A packed set knows what it held, so its batches have to be equal. Raw files carry no checksum: a
reader may return what it finds there, in its own shape.
"""

import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from datamodules import MOSEI
from datamodules.formats.csd import CsdFile
from datamodules.formats.mosei_csv import read_text_table
from datamodules.formats.mosei_folds import read_folds
from datamodules.formats.mosei_pickle import read_mosei_pickle
from datamodules.formats.openface import mean_action_units, read_tracking
from datamodules.formats.skeleton import read_skeleton
from datamodules.formats.sound import read_sound
from datamodules.formats.video import look_at, read_frames
from datamodules.packed.dataset import manifest_hash
from datamodules.packed.errors import DataError, reading
from datamodules.packed.verify import verify_packed
from tests.damage import OF_ALL, OF_JSON, Damage, damaged, outcome
from tests.datamodules.formats.test_openface import table as tracking
from tests.datamodules.formats.test_openface import write as write_tracking
from tests.datamodules.mosei.files import labels, mmsa, write_csd
from tests.mosei_data import write_packed
from tests.ntu_skeletons import random_frames, write_plain
from tests.own_clips import portrait, still_clip


def batches_of(root: Path) -> list[dict[str, Any]]:
    data = MOSEI(root, modalities=["visual", "text"], batch_size=16, seed=1, protocol="paper")
    data.prepare_data()
    data.setup()
    assert data.provenance == "sample"
    assert data.preparation["settings"]["alignment"] == "word"
    loaders = [data.train_dataloader(), *data.val_dataloader()]
    return [data.on_after_batch_transfer(b, 0) for loader in loaders for b in loader]


@pytest.mark.parametrize(
    ("name", "damages"),
    [("manifest.json", OF_JSON), ("index.csv", OF_ALL), ("text.npy", OF_ALL)],
)
def test_packed_sets(tmp_path: Path, name: str, damages: list[Damage]) -> None:
    whole = write_packed(tmp_path / "whole")
    wanted, identity = batches_of(whole), manifest_hash(whole)
    equal = 0
    for number, damage in enumerate(damages):
        root = tmp_path / "damaged"
        damaged(whole, root, name, damage, [1, number])
        found = outcome(batches_of, root, DataError)
        verified = outcome(lambda root: (verify_packed(root), 1), root, DataError)
        if found is None or verified is None or manifest_hash(root) != identity:
            continue  # the last: another data set by its identity, and so another run
        equal += 1
        for batch, other in zip(found, wanted, strict=True):
            assert all(torch.equal(batch[key], other[key]) for key in other)
    assert equal <= len(damages) // 2


def made(folder: Path) -> dict[str, tuple[Path, Callable[[Path], Any]]]:
    """One small file of each raw format, and what reads it."""
    folder.mkdir()
    times = np.linspace(0, 1, 9)
    words = [(float(a), float(b)) for a, b in pairwise(times)]
    rng = np.random.default_rng(0)
    soundfile.write(folder / "sound.wav", rng.normal(size=16000) / 9, 16000)
    soundfile.write(folder / "sound.flac", rng.normal(size=16000) / 9, 16000)
    write_tracking(folder / "tracking.csv", tracking(12))
    write_csd(folder / "labels.csd", "All Labels", {"v": labels(words, [1.0] * len(words))})
    (folder / "mosei.pkl").write_bytes(pickle.dumps(mmsa(samples=2)))
    (folder / "folds.json").write_text('{"train": ["a", "b"], "valid": ["c"], "test": ["d"]}')
    write_plain(folder / "s.skeleton", random_frames([1, 2, 1]))
    lines = [f"v,{i},hello {i},1.0,train" for i in range(9)]
    (folder / "text.csv").write_text("\n".join(["video_id,clip_id,text,label,mode", *lines, ""]))
    still_clip(folder / "clip.mp4", portrait(0.2), seconds=0.4)

    def csd(path: Path) -> Any:
        with CsdFile(path) as file:
            return file.columns, file.intervals("v").shape, file.features("v").shape

    def openface(path: Path) -> Any:
        return mean_action_units(read_tracking(path, action_units=True), path).shape

    return {
        "sound.wav": (folder / "sound.wav", lambda p: read_sound(p, offset=0.1, duration=0.5)),
        "sound.flac": (folder / "sound.flac", lambda p: read_sound(p, offset=0.1, duration=0.5)),
        "tracking.csv": (folder / "tracking.csv", openface),
        "labels.csd": (folder / "labels.csd", csd),
        "mosei.pkl": (folder / "mosei.pkl", read_mosei_pickle),
        "folds.json": (folder / "folds.json", read_folds),
        "s.skeleton": (folder / "s.skeleton", read_skeleton),
        "text.csv": (folder / "text.csv", read_text_table),
        "clip.mp4": (folder / "clip.mp4", lambda p: (look_at(p), read_frames(p, [0, 2]).shape)),
    }


def at_the_door(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """As `prepare` calls a reader."""

    def door(file: Path) -> Any:
        with reading(file):
            return read(file)

    return door


def test_raw_files(tmp_path: Path) -> None:
    refused = 0
    for name, (file, read) in made(tmp_path / "raw").items():
        kind = type(read(file))
        for number, damage in enumerate(OF_ALL * 2):
            there = damaged(tmp_path / "raw", tmp_path / "damaged", name, damage, [3, number])

            found = outcome(at_the_door(read), there, DataError)
            refused += found is None
            assert found is None or isinstance(found, kind)
    assert refused > 100
