"""Text features, against the same tiny BERT called for one sentence at a time."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.mosei import text_features
from datamodules.mosei.text_encoder import TextEncoder
from datamodules.mosei.text_features import TextFeatures
from datamodules.packed.errors import DataError
from tests.datamodules.tiny_bert import tiny_bert

STEPS = 8
SENTENCES = ["good", "a bad day", "good bad a day unheard day good good", "bad", "day a good"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("bert") / "tiny")


def features(
    encoder: TextEncoder, cache: Path, padding: str = "zero", **options: Any
) -> TextFeatures:
    pieces, lengths = encoder.tokenize(SENTENCES, STEPS)
    dtype, workers = options.get("dtype", "float32"), options.get("workers", 1)
    return TextFeatures(encoder, pieces, lengths, padding, dtype, cache, workers)


def one_by_one(folder: Path, sentences: Sequence[str]) -> np.ndarray:
    from transformers import BertModel, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()
    options = {"padding": "max_length", "truncation": True, "max_length": STEPS}
    with torch.inference_mode():
        batches = [tokenizer(s, return_tensors="pt", **options) for s in sentences]
        return np.concatenate([model(**batch).last_hidden_state.numpy() for batch in batches])


def test_word_pieces(folder: Path) -> None:
    pieces, lengths = TextEncoder(str(folder)).tokenize(SENTENCES, STEPS)
    vocabulary = {w: i for i, w in enumerate((folder / "vocab.txt").read_text().split())}
    assert pieces[1].tolist() == [
        vocabulary[w] for w in ("[CLS]", "a", "bad", "day", "[SEP]", "[PAD]", "[PAD]", "[PAD]")
    ]
    assert lengths.tolist() == [3, 5, STEPS, 3, 5]
    assert pieces[2, -1] == vocabulary["[SEP]"]
    assert vocabulary["[UNK]"] in pieces[2]


@pytest.mark.parametrize("padding", ["zero", "encoded"])
@pytest.mark.parametrize("batch", [6, 2048])
def test_against_one_sentence_at_a_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, padding: str, batch: int
) -> None:
    monkeypatch.setattr(text_features, "BATCH_PIECES", batch)
    made = features(TextEncoder(str(folder)), tmp_path, padding)
    stored = np.load(made(tmp_path)["text"])
    expected = one_by_one(folder, SENTENCES)
    assert np.abs(expected[0, 3:]).min() > 0  # BERT's own rows at padding are not zero
    if padding == "zero":
        expected[np.arange(STEPS) >= made.lengths[:, None]] = 0
    assert stored.dtype == np.float32
    assert np.allclose(stored, expected, atol=1e-5)
    assert stored.nbytes == made.bytes_per_sample * len(SENTENCES)


def test_half_precision(folder: Path, tmp_path: Path) -> None:
    stored = np.load(
        features(TextEncoder(str(folder)), tmp_path, dtype="float16")(tmp_path)["text"]
    )
    assert stored.dtype == np.float16
    assert np.allclose(stored[1, :5], one_by_one(folder, SENTENCES)[1, :5], atol=5e-3)


def test_interrupted_and_continued(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_features, "BATCH_PIECES", STEPS)  # a sentence or two a batch
    monkeypatch.setattr(text_features, "_SAVE_EVERY", 0)
    undisturbed = features(TextEncoder(str(folder)), tmp_path / "a")(tmp_path)["text"]
    calls: list[int] = []
    encode = TextEncoder.encode

    def stopped(self: TextEncoder, pieces: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        calls.append(len(pieces))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, pieces, lengths)

    monkeypatch.setattr(TextEncoder, "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        features(TextEncoder(str(folder)), tmp_path / "b")(tmp_path)
    assert not list((tmp_path / "b").glob("*.npy"))
    continued = features(TextEncoder(str(folder)), tmp_path / "b")(tmp_path)["text"]
    assert sum(calls[:2]) + sum(calls[3:]) == len(SENTENCES)  # none twice but the one it stopped at
    assert continued.read_bytes() == undisturbed.read_bytes()
    again = len(calls)
    features(TextEncoder(str(folder)), tmp_path / "b")(tmp_path)
    assert len(calls) == again  # taken from the cache


def test_the_result_does_not_depend_on_the_workers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_features, "BATCH_PIECES", STEPS)
    one = features(TextEncoder(str(folder)), tmp_path / "a", workers=1)(tmp_path)["text"]
    three = features(TextEncoder(str(folder)), tmp_path / "b", workers=3)(tmp_path)["text"]
    assert one.read_bytes() == three.read_bytes()


def test_key_of_the_cache(folder: Path, tmp_path: Path) -> None:
    other = tiny_bert(tmp_path / "other", seed=1)
    renamed = shutil.copytree(folder, tmp_path / "x" / "tiny")
    encoder = TextEncoder(str(folder))
    made = {
        str(features(encoder, tmp_path / "c")(tmp_path)["text"]),
        str(features(encoder, tmp_path / "c", "encoded")(tmp_path)["text"]),
        str(features(TextEncoder(str(other)), tmp_path / "c")(tmp_path)["text"]),
    }
    assert len(made) == 3
    assert TextEncoder(str(renamed)).fingerprint == encoder.fingerprint
    assert str(tmp_path) not in json.dumps(encoder.fingerprint)


def test_folder_without_weights(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "tiny")
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"found no weights \(model\.safetensors\) among config"):
        TextEncoder(str(copy))
    for path in copy.iterdir():
        path.unlink()
    with pytest.raises(
        DataError, match=r"no config\.json and no weights .*and no tokenizer among no"
    ):
        TextEncoder(str(copy))


def test_weights_of_another_model(folder: Path, tmp_path: Path) -> None:
    """Without a check the missing layers would be random."""
    copy = shutil.copytree(folder, tmp_path / "tiny")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(DataError, match="weights for the whole encoder, found none for 16 parts"):
        features(TextEncoder(str(copy)), tmp_path)(tmp_path)


def test_damaged_weights(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "tiny")
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match="expected a text encoder that transformers can load"):
        features(TextEncoder(str(copy)), tmp_path)(tmp_path)


def test_features_that_are_not_finite(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = shutil.copytree(folder, tmp_path / "tiny")
    weights = load_file(copy / "model.safetensors")
    name = next(n for n in weights if n.endswith("word_embeddings.weight"))
    weights[name] = np.full_like(weights[name], np.nan)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="expected finite features"):
        features(TextEncoder(str(copy)), tmp_path)(tmp_path)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder with a text encoder, found no such"):
        TextEncoder(str(tmp_path / "none"))


def test_hub_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: Any, **__: Any) -> str:
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(DataError, match="found neither") as raised:
        TextEncoder("some/bert")
    for word in ("(no route to host)", "hf download some/bert --local-dir bert", "text_encoder=<"):
        assert word in str(raised.value)


def test_hub_with_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(folder))
    encoder = TextEncoder("some/bert")
    assert encoder.fingerprint["name"] == "some/bert"
    assert encoder.fingerprint["weights"] == TextEncoder(str(folder)).fingerprint["weights"]


@pytest.mark.gpu
def test_gpu_gives_the_same_features(folder: Path, tmp_path: Path) -> None:
    encoder = TextEncoder(str(folder))
    assert encoder._model.device.type == "cuda"
    stored = np.load(features(encoder, tmp_path, "encoded")(tmp_path)["text"])
    assert np.allclose(stored, one_by_one(folder, SENTENCES), atol=1e-3)


def test_a_folders_own_classes_do_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself transformers asks "run the custom code? [y/N]"; even a yes shall not run it."""
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    foreign = shutil.copytree(folder, tmp_path / "foreign")
    (foreign / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: ...\n")
    config = json.loads((foreign / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
    (foreign / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match="foreign: expected a text encoder that transformers can"):
        _ = TextEncoder(str(foreign)).width
    assert not (tmp_path / "ran").exists()
