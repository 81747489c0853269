"""CMU-MOSEI as pickles that people have: MMSA's `(un)aligned_50.pkl` and MulT's `mosei_senti_data`.

    {train | valid | test: {vision (N, T, 35), audio (N, T, 74), text (N, T, D), id, ...}}

MMSA has `regression_labels` (N,), `raw_text`, `text_bert` (N, 3, 50) and ids `<video>$_$<clip>`;
MulT has `labels` (N, 1, 1) and ids (N, 3): video, begin, end. Neither has the emotions.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.mosei_folds import SPLITS, by_split
from datamodules.formats.safe_pickle import load_pickle
from datamodules.packed.errors import DataError
from datamodules.packed.numbers import fits

_COLUMNS = {"visual": ("vision", 35), "audio": ("audio", 74), "text": ("text", None)}
_BLOCK = 512  # samples looked at together
_ADVICE = "fetch the file of MMSA or MulT again, or prepare from the SDK's .csd files"

Identity = tuple[str, str, tuple[float, float] | None]  # id, video, begin and end in seconds


@dataclass(frozen=True)
class PickledSplit:
    """The N samples of one split, as they are in the file."""

    arrays: dict[str, np.ndarray]  # `visual`, `audio`, `text`: (N, T, columns)
    ids: list[str]
    videos: list[str]
    labels: np.ndarray  # (N, 1) float64
    intervals: list[tuple[float, float] | None]
    sentences: list[str]
    text_lengths: np.ndarray | None  # (N,) where the file says so


def read_mosei_pickle(path: Path) -> dict[str, PickledSplit]:
    """Read one pickle, all of it into memory.

    Returns:
        `train`, `valid`, `test` -> its samples.

    Raises:
        DataError: as `load_pickle` says, or its keys or shapes are not those above.
    """
    content = load_pickle(path)
    entries = content if isinstance(content, dict) else {}
    splits = by_split(((str(key), value) for key, value in entries.items()), str(path))
    if len(splits) < len(SPLITS) or not all(isinstance(value, dict) for value in splits.values()):
        dictionaries = "the dictionaries train, valid and test of MMSA or MulT"
        raise _unfit(str(path), dictionaries, _keys(content))
    return {split: _read_split(splits[split], f"{path}, {split}") for split in splits}


def _read_split(values: Mapping[str, Any], where: str) -> PickledSplit:
    label = "regression_labels" if "regression_labels" in values else "labels"
    needed = [key for key, _ in _COLUMNS.values()] + ["id", label]
    missing = [key for key in needed if key not in values]
    if missing:
        raise _unfit(where, ", ".join(needed), _keys(values))
    arrays = {
        name: _array(values[key], key, columns, where) for name, (key, columns) in _COLUMNS.items()
    }
    number = len(arrays["text"])
    labels = _labels(values[label], label, where)
    identities = _identities(values["id"], where)
    sentences = _sentences(values.get("raw_text", [""] * number), where)
    lengths = {key: len(array) for key, array in arrays.items()}
    lengths |= {label: len(labels), "id": len(identities), "raw_text": len(sentences)}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{n} {key}" for key, n in lengths.items())
        raise _unfit(where, "as many of each", found)
    return PickledSplit(
        arrays,
        [name for name, _, _ in identities],
        [video for _, video, _ in identities],
        labels,
        [interval for _, _, interval in identities],
        sentences,
        _text_lengths(values, arrays["text"], where),
    )


def _array(value: Any, key: str, columns: int | None, where: str) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.ndim != 3 or value.dtype.kind != "f":
        raise _unfit(where, f"{key} as numbers (N, T, {columns or 'D'})", _found(value))
    if columns and value.shape[2] != columns:
        raise _unfit(where, f"{columns} columns of {key}", _found(value))
    return value


def _numbers(value: Any) -> np.ndarray | None:
    """An array of float64; None for what is none, such as words or rows of several lengths."""
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None


def _labels(value: Any, key: str, where: str) -> np.ndarray:
    labels = _numbers(value)
    if labels is None or not labels.ndim or labels.size != len(labels):
        raise _unfit(where, f"one number a sample as {key}", _found(value))
    return labels.reshape(-1, 1)


def _rows(value: Any, expected: str, where: str) -> list[Any]:
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return list(value)
    raise _unfit(where, expected, _found(value))


def _sentences(value: Any, where: str) -> list[str]:
    expected = "raw_text as a list of texts"
    texts = _rows(value, expected, where)
    for text in texts:
        if not isinstance(text, str):
            raise _unfit(where, expected, f"{_found(text)} among them")
    return [str(text) for text in texts]


def _identities(value: Any, where: str) -> list[Identity]:
    expected = "ids <video>$_$<clip> or (video, begin, end) as id"
    found: dict[str, Identity] = {}
    for entry in _rows(value, expected, where):
        try:
            identity = _identify(entry)
        except ValueError as error:
            raise _unfit(where, expected, f"{_found(entry)} among them") from error
        if identity[0] in found:
            several = f"some that repeat, such as {identity[0]}"
            raise _unfit(where, "an id for each sample", several)
        found[identity[0]] = identity
    return list(found.values())


def _identify(entry: Any) -> Identity:
    row = np.asarray(entry).reshape(-1).tolist()
    words = [word.decode() if isinstance(word, bytes) else str(word) for word in row]
    if len(words) == 3:
        video, begin, end = words
        return f"{video}[{begin}-{end}]", video, (float(begin), float(end))
    if len(words) == 1 and "$_$" in words[0]:
        return words[0], words[0].partition("$_$")[0], None
    raise ValueError("no id of MMSA or MulT")


def _text_lengths(values: Mapping[str, Any], text: np.ndarray, where: str) -> np.ndarray | None:
    """Number of word pieces, from the mask that BERT was given."""
    if "text_bert" not in values:
        return None
    number, steps, _ = text.shape
    pieces = _numbers(values["text_bert"])
    if pieces is None or pieces.ndim != 3 or pieces.shape[:2] != (number, 3):
        raise _unfit(where, f"numbers text_bert ({number}, 3, T)", _found(values["text_bert"]))
    mask = pieces[:, 1]
    if not np.isin(mask, (0, 1)).all():
        other = mask[~np.isin(mask, (0, 1))][0]
        raise _unfit(where, "a mask of 0 and 1 as text_bert[:, 1]", f"{other:g} in it")
    lengths = mask.sum(1).astype(np.int64)
    if lengths.max(initial=0) > steps:
        most = f"at most {steps} word pieces, as many as steps of text, in text_bert[:, 1]"
        raise _unfit(where, most, str(lengths.max()))
    return lengths


def padding(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of rows of zeros before and after each sample of (N, T, d): two arrays (N,)."""
    before, after = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(array), _BLOCK):
        there = (array[start : start + _BLOCK] != 0).any(2)  # (n, T)
        empty = ~there.any(1)
        for counts, rows in ((before, there), (after, there[:, ::-1])):
            counts.append(np.where(empty, array.shape[1], rows.argmax(1)))
    return np.concatenate(before), np.concatenate(after)


def not_finite(array: np.ndarray, dtype: str) -> int:
    """Number of values that are NaN or infinite, or become so in a type that holds fewer."""
    blocks = (array[start : start + _BLOCK] for start in range(0, len(array), _BLOCK))
    return sum(block.size - int(np.count_nonzero(fits(block, dtype))) for block in blocks)


def _unfit(where: str, expected: str, found: str) -> DataError:
    return DataError(f"{where}: expected {expected}, found {found}; {_ADVICE}")


def _keys(content: Any) -> str:
    if isinstance(content, dict):
        return ", ".join(map(str, content)) or "an empty dictionary"
    return _found(content)


def _found(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} of {value.dtype}"
    return f"{type(value).__name__} {reprlib.repr(value)}"
