import os
import pickle
import resource
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.formats.mosei_pickle import not_finite, padding, read_mosei_pickle
from datamodules.formats.safe_pickle import load_pickle
from datamodules.packed.errors import DataError
from tests.datamodules.mosei.files import mmsa, mult


def dump(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


class RunsACommand:
    """What a malicious pickle looks like."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.file}",)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_content_comes_back(tmp_path: Path, protocol: int) -> None:
    content = {
        "floats": np.arange(6.0).reshape(2, 3),
        "words": np.array([["a", "b"]]),
        "mixed": np.array([["a", 1.5, b"c"]], object),
        "scalar": np.float32(2.5),
        "list": ["x", 1, None, (2.0, b"y\xff")],
    }
    loaded = load_pickle(dump(tmp_path / "a.pkl", content, protocol))
    for name in ("floats", "words", "mixed"):
        array = np.asarray(loaded.pop(name))
        assert repr(array) == repr(content.pop(name))
    assert repr(loaded) == repr(content)


def test_python_2(tmp_path: Path) -> None:
    """`{'id': numpy.array([1.0])}` as Python 2.7 and NumPy 1.16 wrote it."""
    path = tmp_path / "a.pkl"
    path.write_bytes(
        b"\x80\x02}q\x01U\x02idq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq"
        b"\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01\x85cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq"
        b"\x07(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\x00\x00"
        b"\x00\x00\xf0?tbs."
    )
    assert load_pickle(path)["id"].tolist() == [1.0]


def test_code_is_not_run(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.pkl", {"train": [RunsACommand(tmp_path / "ran")]})
    with pytest.raises(
        DataError, match=r"a\.pkl: .*calls for posix\.system: nothing of it was run"
    ):
        load_pickle(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [OrderedDict(a=1), np.random.default_rng(0), Path("x")])
def test_other_classes_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match="expected a pickle of arrays, lists, dictionaries"):
        load_pickle(dump(tmp_path / "a.pkl", content))


@pytest.mark.parametrize(
    "change", [lambda b: b[: len(b) // 2], lambda b: b"\0" * 99, lambda b: b""]
)
def test_cut_off_or_no_pickle(tmp_path: Path, change: Any) -> None:
    path = dump(tmp_path / "a.pkl", mmsa())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=r"expected a whole pickle, found .*fetch the file again"):
        load_pickle(path)


def test_mmsa(tmp_path: Path) -> None:
    content = mmsa()
    train = read_mosei_pickle(dump(tmp_path / "a.pkl", content))["train"]
    assert train.ids[:2] == ["v0$_$0", "v0$_$1"]
    assert train.videos[:3] == ["v0", "v0", "v1"]
    assert np.array_equal(train.arrays["visual"], content["train"]["vision"])
    assert train.labels[:, 0].tolist() == content["train"]["regression_labels"].tolist()
    assert train.sentences == content["train"]["raw_text"]
    assert train.text_lengths is not None
    assert train.text_lengths.tolist() == [3, 4, 5, 3]


def test_mult(tmp_path: Path) -> None:
    splits = read_mosei_pickle(dump(tmp_path / "a.pkl", mult()))
    assert splits["valid"].ids[0] == "w0[0.0-1.5]"
    assert splits["valid"].intervals[0] == (0.0, 1.5)
    assert splits["valid"].labels.shape == (4, 1)
    assert splits["valid"].text_lengths is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vision": None}, "train: expected vision, audio, text, id, regression_labels, found"),
        ({"audio": np.zeros((4, 50, 33))}, r"expected 74 columns of audio, found \(4, 50, 33\)"),
        ({"text": np.zeros((4, 50))}, r"expected text as numbers \(N, T, D\), found \(4, 50\)"),
        ({"vision": [1, 2]}, r"expected vision as numbers \(N, T, 35\), found list"),
        ({"regression_labels": np.zeros(3)}, "4 text, 3 regression_labels, 4 id"),
        ({"id": ["a", "b", "c", "d"]}, "expected ids <video>"),
        ({"id": ["a$_$1"] * 4}, "expected an id for each sample, found some that repeat"),
        ({"id": 7}, "id, found int 7; fetch"),
        ({"id": "a$_$1"}, "id, found str 'a"),
        ({"id": ["a$_$1", ["b", "0", "one"], "c$_$1", "d$_$1"]}, r"found list \['b', '0', 'one'\]"),
        ({"id": [b"\xff$_$1"] * 4}, r"as id, found bytes b'\\xff\$_\$1' among them"),
        ({"regression_labels": 3.0}, "one number a sample as regression_labels, found float 3.0"),
        ({"regression_labels": ["a", "b"]}, r"as regression_labels, found list \['a', 'b'\]"),
        ({"regression_labels": [[1], [1, 2], [1], [1]]}, "as regression_labels, found list"),
        ({"regression_labels": np.zeros((4, 7))}, r"regression_labels, found \(4, 7\) of float64"),
        ({"raw_text": 5}, "expected raw_text as a list of texts, found int 5"),
        ({"raw_text": "abcd"}, "expected raw_text as a list of texts, found str 'abcd'"),
        ({"raw_text": ["a", "b", 1.5, "d"]}, "texts, found float 1.5 among them"),
        ({"raw_text": ["a"]}, "expected as many of each, found .* 4 id, 1 raw_text"),
        ({"text_bert": np.zeros((4, 2, 50))}, r"numbers text_bert \(4, 3, T\), found \(4, 2, 50\)"),
        ({"text_bert": [[[1]], [[1, 2]], [], []]}, r"text_bert \(4, 3, T\), found list"),
        ({"text_bert": np.full((4, 3, 50), 7)}, r"as text_bert\[:, 1\], found 7 in it"),
        ({"text_bert": np.full((4, 3, 50), np.nan)}, r"as text_bert\[:, 1\], found nan in it"),
        ({"text_bert": np.ones((4, 3, 51))}, r"expected at most 50 word pieces.* found 51"),
    ],
)
def test_unexpected_keys_and_shapes(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    content = mmsa()
    content["train"] = {k: v for k, v in (content["train"] | change).items() if v is not None}
    with pytest.raises(DataError, match=message) as raised:
        read_mosei_pickle(dump(tmp_path / "a.pkl", content))
    assert str(raised.value).startswith(f"{tmp_path / 'a.pkl'}, train: expected ")
    assert str(raised.value).endswith("or prepare from the SDK's .csd files")


def test_two_names_for_one_split(tmp_path: Path) -> None:
    content = mmsa()
    content["dev"] = content["valid"]
    with pytest.raises(
        DataError, match=r"a\.pkl: expected one entry for valid, found valid and dev"
    ):
        read_mosei_pickle(dump(tmp_path / "a.pkl", content))


@pytest.mark.parametrize(
    "content", [[1, 2], {"train": {}, "test": {}}, {"train": 1, "dev": 2, "test": 3}]
)
def test_other_layouts(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DataError, match="expected the dictionaries train, valid and test of MMSA"):
        read_mosei_pickle(dump(tmp_path / "a.pkl", content))


def test_padding_and_values_that_are_not_finite() -> None:
    array = np.zeros((3, 5, 2))
    array[0, 2:4, 1] = [1, -np.inf]
    array[1, 0, 0] = np.nan
    before, after = padding(array)
    assert before.tolist() == [2, 0, 5]
    assert after.tolist() == [1, 4, 5]
    assert not_finite(array, "float32") == 2
    array[2, 1] = [1e39, 65504]
    array[2, 2] = [65536, -1e308]
    assert not_finite(array, "float64") == 2
    assert not_finite(array, "float32") == 4
    assert not_finite(array, "float16") == 5


ARRAY, DTYPE = b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
SCALAR = b"cnumpy.core.multiarray\nscalar\n"
EMPTY = RECONSTRUCT + b"(" + ARRAY + b"(I0\ntS'b'\ntR"


def dtype(name: bytes, state: bytes = b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb") -> bytes:
    """The bytes that restore a type."""
    return DTYPE + b"(S'" + name + b"'\nI0\nI1\ntR" + state


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ARRAY + b"(I4\n(I1\nI2\ntI0\ntR.", "a call of numpy.ndarray"),  # shape, type, buffer
        (b"\x80\x04" + ARRAY + b"(K\x08t\x81.", "a call of numpy.ndarray"),  # NEWOBJ
        (
            RECONSTRUCT + b"(" + DTYPE + b"(I0\ntS'b'\ntR.",
            "restoring of something that is no array",
        ),
        (EMPTY + b"(I1\n(I4\nt" + dtype(b"O8") + b"I0\nS'" + b"A" * 32 + b"'\ntb.", "not there"),
        (EMPTY + b"(I1\n(I1\nt" + dtype(b"O8") + b"I0\n(l" + ARRAY + b"atb.", "neither text nor"),
        (EMPTY + b"(I1\n(I9\nt" + dtype(b"f8") + b"I0\nS'1'\ntb.", "without its content"),
        (EMPTY + b"(I1\n(I-1\nt" + dtype(b"f8") + b"I0\nS''\ntb.", "whose shape is none"),
        (EMPTY + b"(I1\n(I0\ntS'f8'\nI0\nS''\ntb.", "without a type"),
        (SCALAR + b"(" + dtype(b"f8") + b"S'1'\ntR.", "without its content"),
        (SCALAR + b"(" + dtype(b"O8") + b"S'12345678'\ntR.", "that are not there"),
        (dtype(b"V8", b"(I3\nS'<'\nN(S'a'\nt}I8\nI1\nI0\ntb") + b".", "of type 'V8'"),
        (dtype(b"f8", b"(I3\nS'<'\nN(S'a'\nt}I8\nI1\nI0\ntb") + b".", "structured type"),
        (dtype(b"f8", b"(I3\nS'!'\nNNNI8\nI1\nI0\ntb") + b".", "structured type"),
    ],
)
def test_raw_memory_is_out_of_reach(tmp_path: Path, content: bytes, message: str) -> None:
    """Each of these makes NumPy's own classes take what a stranger chose."""
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"a.pkl: expected a whole pickle, .*{message}"):
        load_pickle(path)


@pytest.mark.parametrize(
    "content",
    [
        b"Nr\xff\xff\xff\x0f.",  # an object at place 268,435,455 of what has been seen
        b"Np268435455\n.",
        b"\x80\x04\x8e" + (2**34).to_bytes(8, "little") + b"abc.",  # 16 GB of bytes
        b"\x80\x04\x8d" + (2**34).to_bytes(8, "little") + b"abc.",
        b"\x80\x05\x96" + (2**34).to_bytes(8, "little") + b"abc.",
        b"X\xff\xff\xff\x7fabc.",
        b"\x80\x02\x8b\xff\xff\xff\x7fabc.",  # a number of 2 GB
    ],
)
def test_a_claim_takes_no_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with pytest.raises(DataError, match=r"a\.pkl: expected a whole pickle, found"):
            load_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < 1e7  # bytes
    finally:
        tracemalloc.stop()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1e5  # KiB
