"""Words are lost at the rate that is said, and the text goes through prepare again."""

import csv
from pathlib import Path

import pytest
import torch

from datamodules.mosei.dropped_words import DroppedWords, write_table
from datamodules.mosei.prepare import prepare_mosei
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.errors import DataError
from tests.datamodules.mosei.test_datamodule import build
from tests.datamodules.tiny_bert import tiny_bert
from tests.mosei_data import write_packed

SENTENCES = [
    "this is a really good film and i like it",
    "no",
    "the acting was bad but the music was fine",
    "i do not know what to say about it",
]
COLUMNS = ["video_id", "clip_id", "text", "label", "mode"]


def index_of(sentences: list[str]) -> dict[str, list[str]]:
    return {
        "id": [f"v_{row}[{row}]" for row in range(len(sentences))],
        "video": [f"v_{row}" for row in range(len(sentences))],
        "sentence": sentences,
        "label": ["1.5"] * len(sentences),
        "split": ["test"] * len(sentences),
    }


def lost(folder: Path, sentences: list[str], strength: float) -> list[list[str]]:
    write_table(folder / "table.csv", index_of(sentences), strength)
    with (folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [f"{row['video_id']}[{row['clip_id']}]" for row in rows] == index_of(sentences)["id"]
    return [row["text"].split() for row in rows]


def test_words_are_lost_at_the_rate_that_is_said(tmp_path: Path) -> None:
    sentences = [" ".join(f"w{n}" for n in range(50))] * 100
    before = [sentence.split() for sentence in sentences]
    assert lost(tmp_path, sentences, 0) == before
    for strength in (10, 25, 50, 75):
        after = lost(tmp_path, sentences, strength)
        count = sum(map(len, after))
        assert abs(100 * (1 - count / 5000) - strength) < 2.2  # three deviations of 5,000 draws
        for mine, earlier in zip(after, before, strict=True):  # further ones, in their order
            assert [word for word in earlier if word in set(mine)] == mine
        before = after


def test_a_sentence_keeps_one_word(tmp_path: Path) -> None:
    assert [len(words) for words in lost(tmp_path, SENTENCES, 100)] == [1, 1, 1, 1]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Eight segments in two splits each, and the encoder that they were packed with."""
    folder = tmp_path_factory.mktemp("words")
    with (folder / "label.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for split in ("train", "valid", "test"):
            for clip, sentence in enumerate(SENTENCES):
                writer.writerow([f"{split}video", clip, sentence, 0.5 * clip, split])
    encoder = tiny_bert(folder / "encoder")
    prepare_mosei(
        folder / "label.csv",
        folder / "packed",
        protocol="paper",
        settings=MoseiSettings(steps=16),
        text_encoder=encoder,
        workers=1,
    )
    return folder / "packed", encoder


@pytest.mark.parametrize("strength", [0.0, 60.0])
def test_the_text_of_the_test_split(
    packed: tuple[Path, Path], tmp_path: Path, strength: float
) -> None:
    root, encoder = packed
    data = build(root, modalities=("text",))
    before = next(iter(data.val_dataloader()[0]))
    corruption = DroppedWords(strengths=[strength], text_encoder=str(encoder), workers=1)
    data.change_evaluation(corruption.changes(data, "text", strength, raw=None, copies=tmp_path))
    after = next(iter(data.val_dataloader()[0]))
    if not strength:
        assert torch.equal(after["text"], before["text"])
        assert torch.equal(after["text_length"], before["text_length"])
        return
    assert (after["text_length"] <= before["text_length"]).all()
    assert (after["text_length"] < before["text_length"]).any()
    steps = (after["text"] != 0).any(-1).sum(1)
    assert torch.equal(steps, after["text_length"])
    assert torch.equal(after["label"], before["label"])


def test_another_encoder(packed: tuple[Path, Path], tmp_path: Path) -> None:
    data = build(packed[0], modalities=("text",))
    other = tiny_bert(tmp_path / "other", seed=5)
    corruption = DroppedWords(strengths=[10], text_encoder=str(other), workers=1)
    with pytest.raises(DataError, match=r"expected the encoder that .* was made with, found anoth"):
        corruption.changes(data, "text", 10, raw=None, copies=tmp_path / "copies")


def test_features_without_their_words(tmp_path: Path) -> None:
    data = build(write_packed(tmp_path / "packed"))
    corruption = DroppedWords(strengths=[10], workers=1)
    with pytest.raises(DataError, match=r"expected a sentence in every row, found some without"):
        corruption.changes(data, "text", 10, raw=None, copies=tmp_path / "copies")
