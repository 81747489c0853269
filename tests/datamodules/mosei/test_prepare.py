"""From `.csd` files to a packed CMU-MOSEI: arrays, index and manifest."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.formats.mosei_folds import SPLITS
from datamodules.mosei import prepare as mosei
from datamodules.mosei.prepare import prepare_mosei
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.dataset import PackedDataset
from datamodules.packed.errors import DataError
from tests.datamodules.mosei.files import (
    frames,
    index_of,
    labels,
    manifest_of,
    words,
    write_folder,
)
from tests.datamodules.mosei.oracle import Content, align
from tests.datamodules.tiny_bert import tiny_bert

PAPER = MoseiSettings()
RELEASED = MoseiSettings("label", keep_silence=True, text_padding="encoded")
FOLDS = {"train": ["a", "b"], "valid": ["c"], "test": ["d", "unlabelled"]}
SPOKEN = words(
    ("a", 0, 1), ("sp", 1, 2), ("good", 2, 3), ("day", 3, 4), ("sp", 4, 5), ("bad", 5, 6.5)
)  # fmt: skip


def small_content() -> Content:
    """Five videos; `b[1]` has no face, `c[1]` only silence, `c[2]` no length, `e` no fold."""
    videos = "abcde"
    content: Content = {
        "words": dict.fromkeys(videos, SPOKEN),
        "visual": {v: frames(np.arange(0, 7, 1 / 30), 35, ord(v)) for v in videos},
        "audio": {v: frames(np.arange(0, 7, 1 / 100), 74, ord(v)) for v in videos},
        "labels": {v: labels([[0.5, 3.5], [3.2, 6.4]], [-1, 2]) for v in "ad"},
    }
    content["labels"]["b"] = labels([[0.5, 3.5], [3.2, 6.4]], [1, 3.25])
    content["labels"]["c"] = labels([[0, 2.5], [4, 5], [2, 2]], [0.5, 0, 0])
    content["labels"]["e"] = labels([[0, 3]], [1])
    content["visual"]["b"] = frames(np.arange(0, 3, 1 / 30), 35, 0)
    content["audio"]["a"][1][100:120, 7] = -np.inf  # 1.0 to 1.2 s, in the silence
    content["audio"]["a"][1][210:220, 8] = np.nan  # 2.1 to 2.2 s, in "good"
    return content


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bert(tmp_path_factory.mktemp("bert") / "tiny"))


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("mosei") / "raw", small_content(), FOLDS)


@pytest.fixture(scope="module")
def paper(raw: Path, encoder: str) -> Path:
    out = raw.with_name("paper")
    return prepare_mosei(
        raw, out, protocol="paper", settings=PAPER, text_encoder=encoder, workers=1
    )


@pytest.fixture(scope="module")
def released(raw: Path, encoder: str) -> Path:
    out = raw.with_name("released")
    return prepare_mosei(
        raw, out, protocol="released", settings=RELEASED, text_encoder=encoder, workers=1
    )


@pytest.mark.parametrize("protocol", ["paper", "released"])
def test_packed_arrays_are_the_oracles(protocol: str, request: pytest.FixtureRequest) -> None:
    out: Path = request.getfixturevalue(protocol)
    packed = PackedDataset(out, task="mosei", protocol=protocol)
    by_word = protocol == "paper"
    expected, sentences = align(
        small_content(), list("abcd"), by_word=by_word, keep_silence=not by_word, steps=50
    )
    assert packed.index["id"] == list(expected)
    assert packed.index["sentence"] == list(sentences.values())
    for kind, columns in (("visual", 35), ("audio", 74)):
        array = packed.array(kind)
        assert (array.shape, array.dtype) == ((len(expected), 50, columns), np.float32)
        assert np.allclose(
            array, np.stack([arrays[kind] for arrays in expected.values()]), atol=1e-5
        )


def test_index(paper: Path) -> None:
    rows = index_of(paper)
    assert [row["id"] for row in rows] == ["a[0]", "a[1]", "b[0]", "c[0]", "d[0]", "d[1]"]
    assert rows[1] == {
        "id": "a[1]",
        "video": "a",
        "split": "train",
        "label": "2.0",
        **dict.fromkeys(("happy", "sad", "anger", "surprise", "disgust", "fear"), "0.0"),
        "start": "3.2",
        "end": "6.4",
        "visual_length": "2",
        "audio_length": "2",
        "text_length": "4",
        "sentence": "day bad",
    }
    assert [row["split"] for row in rows] == ["train"] * 3 + ["valid"] + ["test"] * 2


def test_manifest(paper: Path, released: Path) -> None:
    manifest, other = manifest_of(paper), manifest_of(released)
    assert manifest["dropped"] == {
        "b[1]": "no visual rows in it",
        "c[1]": "no words in it but silence",
        "c[2]": "it has no length",
        "e[0]": "no fold has its video",
    }
    assert other["dropped"].keys() == manifest["dropped"].keys() - {"c[1]"}
    counts = manifest["counts"]
    assert {split: counts[split] for split in SPLITS} == {"train": 3, "valid": 1, "test": 2}
    assert counts["labels_clipped"] == counts["videos_without_labels"] == 1
    # of "a": only the ten NaN of "good" are averaged over, silence is left out
    assert counts["audio_values_not_finite"] == 10
    assert counts["visual_values_not_finite"] == 0
    assert manifest["warnings"] == ["1 videos of the folds have no labels: unlabelled"]
    assert manifest["provenance"] == "real"
    assert manifest["settings"]["alignment"] == "word"
    assert manifest["source"]["text_encoder"]["name"] == "tiny"
    assert str(paper.parent) not in json.dumps(manifest)


def test_text(paper: Path, released: Path) -> None:
    text, lengths = np.load(paper / "text.npy"), [int(r["text_length"]) for r in index_of(paper)]
    assert text.shape == (6, 50, 12)
    assert not text[np.arange(50) >= np.array(lengths)[:, None]].any()
    encoded = np.load(released / "text.npy")
    assert np.abs(encoded[:, -1]).min() > 0
    assert index_of(released)[0]["sentence"] == "a sp good day"
    assert index_of(released)[0]["text_length"] == "6"
    assert not np.allclose(encoded[0, :4], text[0, :4])


def test_complete_set_is_left_alone(
    raw: Path, paper: Path, encoder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_mosei(raw, paper, protocol="paper", settings=PAPER, text_encoder=encoder, workers=1)
    assert "is complete: nothing to do" in capsys.readouterr().out
    with pytest.raises(DataError, match="steps: 50 there, 20 wanted"):
        prepare_mosei(
            raw, paper, protocol="paper", settings=MoseiSettings(steps=20), text_encoder=encoder
        )
    with pytest.raises(DataError, match=r"source\.text_encoder\.name: 'tiny' there, None wanted"):
        prepare_mosei(raw, paper, protocol="paper", settings=PAPER)


def only(tmp_path: Path, raw: Path, *names: str) -> Path:
    """A raw folder with some of the files, rendered: nothing has to be right but its counts."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in names:
        shutil.copy(raw / name, folder)
    return folder


def test_words_and_labels_alone(raw: Path, encoder: str, tmp_path: Path) -> None:
    folder = only(
        tmp_path, raw, "CMU_MOSEI_TimestampedWords.csd", "CMU_MOSEI_Labels.csd", "folds.json"
    )
    (folder / "sample.json").write_text('{"generator": 1}')
    out = prepare_mosei(
        folder, tmp_path / "out", protocol="paper", settings=PAPER, text_encoder=encoder
    )
    manifest = manifest_of(out)
    assert list(manifest["modalities"]) == ["text"]
    assert manifest["provenance"] == "sample"
    assert manifest["source"]["rendered"] == {"generator": 1}
    assert "b[1]" in [row["id"] for row in index_of(out)]  # it lacks a face alone
    assert list(index_of(out)[0])[-2:] == ["text_length", "sentence"]


def test_what_a_folder_lacks(raw: Path, tmp_path: Path) -> None:
    def prepare(folder: Path, **options: Any) -> None:
        settings = options.pop("settings", PAPER)
        prepare_mosei(folder, tmp_path / "out", protocol="paper", settings=settings, **options)

    folder = only(tmp_path, raw, "CMU_MOSEI_VisualFacet42.csd")
    with pytest.raises(
        DataError, match=r"expected CMU_MOSEI_Labels\.csd and at least .*found visual"
    ):
        prepare(folder)
    shutil.copy(raw / "CMU_MOSEI_Labels.csd", folder)
    with pytest.raises(
        DataError, match=r"expected one file with the folds .*found none; give folds"
    ):
        prepare(folder)
    shutil.copy(raw / "folds.json", folder)
    with pytest.raises(DataError, match="alignment=word: expected the file CMU_MOSEI_TimestampedW"):
        prepare(folder)
    shutil.copy(raw / "folds.json", folder / "my_folds.json")
    with pytest.raises(DataError, match=r"found folds\.json, my_folds\.json; give folds=<file>"):
        prepare(folder, settings=RELEASED)
    shutil.copy(raw / "CMU_MOSEI_Labels.csd", folder / "copy.csd")
    with pytest.raises(
        DataError, match=r"expected one file of labels, found CMU_MOSEI_Labels\.csd"
    ):
        prepare(folder)


@pytest.mark.parametrize(
    ("kind", "video", "message"),
    [
        ("visual", frames(np.arange(4.0), 34), "expected 35 columns of visual, found 34"),
        ("labels", labels([[0, 1], [1, 2]], [1, 55]), r"labels in \[-3, 3\], found 55 in a\[1\]"),
        ("labels", labels([[0, 1]], [np.nan]), r"found nan in a\[0\]; these are no labels"),
        ("labels", labels([[2, 1]], [1]), "expected intervals that begin before they end"),
    ],
)
def test_files_of_something_else(tmp_path: Path, kind: str, video: Any, message: str) -> None:
    content = small_content()
    content[kind] = {"a": video}
    folder = write_folder(tmp_path / "raw", content, FOLDS)
    with pytest.raises(DataError, match=message):
        prepare_mosei(folder, tmp_path / "out", protocol="released", settings=RELEASED)


def test_the_papers_counts(
    raw: Path, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are compared for the released protocol, real files and the standard folds."""
    monkeypatch.setattr(mosei, "are_standard", lambda folds: True)
    options: dict[str, Any] = {"settings": RELEASED, "text_encoder": encoder, "workers": 1}
    out = prepare_mosei(raw, tmp_path / "a", protocol="released", **options)
    (warning,) = [w for w in manifest_of(out)["warnings"] if "paper" in w]
    assert "expected the paper's 16322/1871/4659 segments, found 3/2/2: " in warning
    monkeypatch.setattr(mosei, "EXPECTED", {"train": 3, "valid": 2, "test": 2})
    monkeypatch.setattr(mosei, "pack", lambda job, out, workers: job)
    job: Any = prepare_mosei(raw, tmp_path / "b", protocol="released", **options)
    assert not any("paper" in warning for warning in job.warnings)


def test_a_damaged_video_does_not_end_the_others(tmp_path: Path) -> None:
    content = small_content()
    backwards = content["audio"]["b"][0].copy()
    backwards[3] = backwards[3, ::-1]
    content["audio"]["b"] = (backwards, content["audio"]["b"][1])
    raw = write_folder(tmp_path / "raw", content, FOLDS)
    out = prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER, workers=1)
    dropped = manifest_of(out)["dropped"]
    assert {row["video"] for row in index_of(out)} == {"a", "c", "d"}
    for segment in ("b[0]", "b[1]"):
        assert dropped[segment].startswith("CMU_MOSEI_COVAREP.csd: expected intervals that begin")
    assert str(tmp_path) not in json.dumps(manifest_of(out))


def test_values_of_a_voice_that_float32_cannot_hold(tmp_path: Path) -> None:
    content = small_content()
    times, features = content["audio"]["d"]
    features = features.astype(np.float64)
    features[210:220, 8] = 1e300  # 2.1 to 2.2 s, in "good" and in the first segment alone
    content["audio"]["d"] = (times, features)
    raw = write_folder(tmp_path / "raw", content, FOLDS)
    out = prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER, workers=1)
    row = [row["id"] for row in index_of(out)].index("d[0]")
    features[210:220, 8] = 0
    good = np.load(out / "audio.npy")[row, -2]  # of "a", "good", "day"
    assert np.abs(good - features[200:300].mean(0)).max() < 0.02
    assert manifest_of(out)["counts"]["audio_values_not_finite"] >= 10
