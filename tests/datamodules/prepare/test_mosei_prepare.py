"""The three ways into a packed CMU-MOSEI, from raw files to arrays, index and manifest."""

import csv
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.formats.mosei_folds import SPLITS
from datamodules.prepare import mosei
from datamodules.prepare.mosei import prepare_mosei
from datamodules.prepare.mosei_segment import MoseiSettings
from datamodules.prepare.packed import PackedDataset
from tests.datamodules.mosei_files import frames, labels, mmsa, mult, words, write_folder
from tests.datamodules.prepare.mosei_oracle import Content, align
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


def index_of(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def manifest_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "manifest.json").read_text())


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
        ("labels", labels([[0, 1], [1, 2]], [1, 55]), r"labels in \[-3, 3\], found 55 in row 1"),
        ("labels", labels([[0, 1]], [np.nan]), r"found nan in row 0; these are no labels"),
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


def dump(path: Path, content: Any) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def test_aligned_pickle(tmp_path: Path) -> None:
    content = mmsa()
    raw = dump(tmp_path / "aligned_50.pkl", content)
    out = prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER)
    rows = index_of(out)
    assert [row["id"] for row in rows[:2]] == ["v0$_$0", "v0$_$1"]
    assert [row["video"] for row in rows] == [f"{v}{i}" for v in "vwx" for i in (0, 0, 1, 1)]
    assert [row["visual_length"] for row in rows[:4]] == ["40", "39", "38", "37"]
    assert [row["text_length"] for row in rows[:4]] == ["3", "4", "5", "3"]
    assert rows[0]["happy"] == rows[0]["start"] == ""
    assert rows[1]["label"] == "-1.0"
    visual, text = np.load(out / "visual.npy"), np.load(out / "text.npy")
    assert np.array_equal(visual[5], content["valid"]["vision"][1].astype(np.float32))
    assert np.array_equal(text[5, :4], content["valid"]["text"][1, :4].astype(np.float32))
    assert not text[5, 4:].any()
    audio = np.load(out / "audio.npy")
    assert audio[0, -1, 0] == 0
    assert np.isfinite(audio).all()
    manifest = manifest_of(out)
    assert manifest["counts"]["audio_values_not_finite"] == 3
    assert "visual: padded on the left in aligned_50.pkl" in manifest["warnings"]
    assert "aligned_50.pkl is none of the known files of MMSA" in manifest["warnings"][0]


def test_unaligned_pickle(tmp_path: Path) -> None:
    content = mmsa({"vision": 60, "audio": 80})
    for values in content.values():
        values["audio"][:, 70:] = 0
        values["audio"][:, :30] = 1  # padded on the right instead
    raw = dump(tmp_path / "unaligned_50.pkl", content)
    with pytest.raises(
        DataError, match=r"expected alignment=word.*80 \(audio\).*protocol=released"
    ):
        prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER)
    settings = MoseiSettings(
        "label", keep_silence=True, text_padding="encoded", text_dtype="float16"
    )
    out = prepare_mosei(raw, tmp_path / "out", protocol="released", settings=settings)
    audio, text = np.load(out / "audio.npy"), np.load(out / "text.npy")
    assert np.array_equal(audio[6], content["valid"]["audio"][2, 20:70].astype(np.float32))
    assert [row["audio_length"] for row in index_of(out)] == ["50"] * 12
    assert text.dtype == np.float16
    assert np.array_equal(text[6], content["valid"]["text"][2].astype("f4").astype("f2"))


def test_mult_pickle(tmp_path: Path) -> None:
    content = mult()
    raw = dump(tmp_path / "mosei_senti_data.pkl", content)
    out = prepare_mosei(tmp_path, tmp_path / "out", protocol="paper", settings=PAPER)
    row, text = index_of(out)[0], np.load(out / "text.npy")
    assert (row["id"], row["start"], row["end"]) == ("v0[0.0-1.5]", "0.0", "1.5")
    assert row["text_length"] == "30"
    assert np.array_equal(text[0, :30], content["train"]["text"][0, 20:].astype(np.float32))
    assert not text[0, 30:].any()
    with pytest.raises(DataError, match="has folds of its own; leave folds out"):
        prepare_mosei(raw, tmp_path / "o", protocol="paper", settings=PAPER, folds="x.json")


def test_pickle_with_a_video_in_two_splits(tmp_path: Path) -> None:
    content = mmsa()
    content["test"]["id"][0] = "v0$_$7"
    raw = dump(tmp_path / "a.pkl", content)
    with pytest.raises(DataError, match="found 1 in two, such as v0 in train and test"):
        prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER)


TABLE = (
    "video_id,clip_id,text,label,mode\n"
    "a,1,good day,2.5,train\na,2,bad,-3.1,train\nb,1,a bad day,-1,valid\nc,9,good,1,test\n"
)


def test_table(tmp_path: Path, encoder: str) -> None:
    raw = tmp_path / "label.csv"
    raw.write_text(TABLE)
    out = prepare_mosei(
        raw, tmp_path / "out", protocol="paper", settings=PAPER, text_encoder=encoder
    )
    rows = index_of(out)
    assert [(row["id"], row["split"], row["label"], row["text_length"]) for row in rows] == [
        ("a[1]", "train", "2.5", "4"),
        ("a[2]", "train", "-3.0", "3"),
        ("b[1]", "valid", "-1.0", "5"),
        ("c[9]", "test", "1.0", "3"),
    ]
    assert np.load(out / "text.npy").shape == (4, 50, 12)
    assert manifest_of(out)["counts"]["labels_clipped"] == 1


def test_table_with_folds(tmp_path: Path, encoder: str) -> None:
    (tmp_path / "label.csv").write_text(TABLE)
    folds = tmp_path / "folds.json"
    folds.write_text(json.dumps({"train": ["b"], "valid": ["a"], "test": []}))
    out = prepare_mosei(
        tmp_path,
        tmp_path / "out",
        protocol="paper",
        settings=PAPER,
        text_encoder=encoder,
        folds=folds,
    )
    assert [row["split"] for row in index_of(out)] == ["valid", "valid", "train"]
    assert manifest_of(out)["dropped"] == {"c[9]": "no fold has its video"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("b,1", "a,3"), "found 1 in two, such as a in train and valid"),
        ((",mode\n", ",kind\n"), "expected the column mode .* found none; add it, or give folds"),
        (("good day", ""), r"found 1 without \(lines 2\)"),
        (("2.5", "25"), r"expected labels in \[-3, 3\], found 25 in row 0"),
    ],
)
def test_unusable_tables(
    tmp_path: Path, encoder: str, change: tuple[str, str], message: str
) -> None:
    raw = tmp_path / "label.csv"
    raw.write_text(TABLE.replace(*change))
    with pytest.raises(DataError, match=message):
        prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER, text_encoder=encoder)


def test_nothing_to_pack(tmp_path: Path) -> None:
    (tmp_path / "label.csv").write_text(TABLE)
    with pytest.raises(DataError, match="found nothing to pack: give text_encoder="):
        prepare_mosei(tmp_path, tmp_path / "out", protocol="paper", settings=PAPER)
    (tmp_path / "other.csv").write_text(TABLE)
    with pytest.raises(DataError, match=r"found label\.csv, other\.csv"):
        prepare_mosei(tmp_path, tmp_path / "out", protocol="paper", settings=PAPER)
    with pytest.raises(DataError, match="found no such file or folder"):
        prepare_mosei(tmp_path / "none", tmp_path / "out", protocol="paper", settings=PAPER)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alignment": "words"}, "alignment=words: expected word or label"),
        ({"keep_silence": "maybe"}, "keep_silence=maybe: expected true or false"),
        ({"steps": 0}, "steps=0: expected a whole number of at least 1"),
        ({"steps": True}, "steps=True: expected a whole number"),
    ],
)
def test_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        MoseiSettings(**options)
