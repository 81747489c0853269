"""Texts and features of one's own, as CMU-MOSEI is packed."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.mosei.datamodule import MOSEI
from datamodules.mosei.own import OwnMosei
from datamodules.mosei.prepare import prepare_mosei
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.errors import DataError
from tests.datamodules.tiny_bert import tiny_bert
from tests.mosei_data import WIDTHS, write_packed

STEPS = 8
TEXTS = ("good day", "bad", "a good a bad day", "good good good good good good good day")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def texts(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> MOSEI:
    """A packed set of a table of texts."""
    folder = tmp_path_factory.mktemp("texts")
    with (folder / "label.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["video_id", "clip_id", "text", "label", "mode"])
        for split in ("train", "valid", "test"):
            rows.writerows([f"{split}{i}", 0, text, 1, split] for i, text in enumerate(TEXTS))
    root = prepare_mosei(
        folder,
        folder / "packed",
        protocol="paper",
        settings=MoseiSettings(steps=STEPS),
        text_encoder=encoder,
        workers=1,
    )
    return opened(root, ["text"])


def opened(root: Path, modalities: list[str]) -> MOSEI:
    data = MOSEI(root, modalities=modalities, batch_size=4, seed=1, protocol="paper", workers=0)
    data.setup()
    return data


def own(data: MOSEI, *, text_width: int = 12, **options: Any) -> OwnMosei:
    widths = {"visual": 35, "audio": 74, "text": text_width}
    shapes = {name: (widths[name], STEPS) for name in data.modalities}
    preparation = data.preparation
    preparation["settings"]["steps"] = STEPS  # which the set of random numbers does not say
    return data.own_files(preparation, shapes=shapes, options=options)


def test_texts_of_the_data_set(texts: MOSEI, encoder: Path, tmp_path: Path) -> None:
    batch = next(iter(texts.val_dataloader()[0]))
    expected = texts.on_after_batch_transfer(batch, 0)
    for row, text in enumerate(TEXTS):
        (tmp_path / "words.txt").write_text(f"  {text}\n")
        by_file, by_word = (
            own(texts, text_encoder=encoder),
            own(texts, text_encoder=encoder, text=text),
        )
        for reader, files in ((by_file, [tmp_path / "words.txt"]), (by_word, [])):
            (group,) = reader.groups(files)
            sample = reader.read(group)
            found = texts.on_after_batch_transfer(sample.batch, 0)
            assert torch.allclose(found["text"][0], expected["text"][row], atol=1e-5)
            assert found["text_length"].tolist() == [expected["text_length"][row]]
            assert any("cut to 8 word pieces" in n for n in sample.notes) == (row == 3)


def test_another_encoder_is_refused(texts: MOSEI, encoder: Path, tmp_path: Path) -> None:
    other = tiny_bert(tmp_path / "other", seed=1)
    reader = own(texts, text_encoder=other, text="good")
    (group,) = reader.groups([])
    with pytest.raises(
        DataError, match=r"expected the encoder that the run was trained with, bert"
    ):
        reader.read(group)
    unknown = texts.own_files(None, shapes={"text": (12, STEPS)}, options={"text": "good"})
    (group,) = unknown.groups([])
    with pytest.raises(DataError, match="text_encoder=<a folder, or a name on the hub> is missing"):
        unknown.read(group)
    options = {"text": "good", "text_encoder": encoder}
    narrow = texts.own_files(None, shapes={"text": (7, STEPS)}, options=options)
    with pytest.raises(DataError, match="expected features of 7 columns, found 12"):
        narrow.read(group)
    gone = own(texts, text_encoder="gone/far/away", text="good")
    with pytest.raises(DataError, match=r"no such folder; text_encoder=<folder> says where"):
        gone.read(group)
    empty = own(texts, text_encoder=encoder, text="  ")
    with pytest.raises(DataError, match="expected words, found none"):
        empty.read(group)


@pytest.fixture
def features(tmp_path: Path) -> MOSEI:
    return opened(write_packed(tmp_path / "packed", steps=STEPS), list(WIDTHS))


def test_features_of_the_data_set(features: MOSEI, tmp_path: Path) -> None:
    """What is padded there, given without its padding."""
    batch = next(iter(features.val_dataloader()[0]))
    expected = features.on_after_batch_transfer(dict(batch), 0)
    for row in range(4):
        files = []
        for name in WIDTHS:
            rows = batch[name][row].numpy()
            length = int(batch[f"{name}_length"][row])
            kept = rows[:length] if name == "text" else rows[len(rows) - length :]
            files.append(tmp_path / f"{name}.npy")
            np.save(files[-1], kept)
        reader = own(features, text_width=WIDTHS["text"])
        (group,) = reader.groups(files)
        found = features.on_after_batch_transfer(reader.read(group).batch, 0)
        for name in WIDTHS:
            length = int(batch[f"{name}_length"][row])
            there = slice(0, length) if name == "text" else slice(STEPS - length, STEPS)
            assert found[f"{name}_length"].tolist() == [length]
            assert torch.equal(found[name][0][:, there], expected[name][row][:, there])


def test_any_part_of_it(features: MOSEI, tmp_path: Path) -> None:
    face = tmp_path / "face.npy"
    values = np.random.default_rng(0).normal(size=(STEPS + 3, 35))
    values[5, 2] = np.nan
    np.save(face, values)
    reader = own(features, text_width=6)
    (group,) = reader.groups([face])
    sample = reader.read(group)
    assert sample.missing == {"audio": "no features were given", "text": "no text was given"}
    assert "face.npy: 1 value not finite, taken as zero" in sample.notes
    assert "face.npy: 8 of 11 rows are used" in sample.notes
    kept = np.nan_to_num(values, nan=0)[3:].astype(np.float32)  # the last ones
    assert np.array_equal(sample.batch["visual"][0].numpy(), kept)
    assert not sample.batch["text"].any()


def test_what_is_none_of_it(features: MOSEI, tmp_path: Path) -> None:
    reader = own(features, text_width=6)
    np.save(tmp_path / "odd.npy", np.zeros((4, 9)))
    with pytest.raises(DataError, match=r"odd.npy: expected 35 \(visual\), .* columns, found 9"):
        reader.groups([tmp_path / "odd.npy"])
    np.save(tmp_path / "flat.npy", np.zeros(35))
    with pytest.raises(DataError, match=r"flat.npy: expected numbers of two dimensions"):
        reader.groups([tmp_path / "flat.npy"])
    np.save(tmp_path / "code.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"code.npy: expected an array of numbers"):
        reader.groups([tmp_path / "code.npy"])
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"a.csv: expected a text .* found a table"):
        reader.groups([tmp_path / "a.csv"])
    (tmp_path / "a.txt").write_text("good")
    beside = own(features, text_width=6, text="bad")
    with pytest.raises(DataError, match=r"text=...: expected no file of a text"):
        beside.groups([tmp_path / "a.txt"])
