"""CMU-MOSEI as pickles that people have: MMSA's `(un)aligned_50.pkl` and MulT's `mosei_senti_data`.

    {train | valid | test: {vision (N, T, 35), audio (N, T, 74), text (N, T, D), id, ...}}

MMSA has `regression_labels` (N,), `raw_text`, `text_bert` (N, 3, 50) and ids `<video>$_$<clip>`;
MulT has `labels` (N, 1, 1) and ids (N, 3): video, begin, end. Neither has the emotions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.errors import DataError
from datamodules.formats.mosei_folds import split_name
from datamodules.formats.safe_pickle import load_pickle

_COLUMNS = {"visual": ("vision", 35), "audio": ("audio", 74), "text": ("text", None)}
_BLOCK = 512  # samples looked at together


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
    named = {split_name(str(key)): value for key, value in _entries(content).items()}
    splits = {split: value for split, value in named.items() if split}
    if len(splits) < 3 or not all(isinstance(value, dict) for value in splits.values()):
        raise DataError(
            f"{path}: expected the dictionaries train, valid and test of MMSA or MulT, found "
            f"{_described(content)}"
        )
    return {split: _read_split(splits[split], f"{path}, {split}") for split in splits}


def _read_split(values: Mapping[str, Any], where: str) -> PickledSplit:
    label = "regression_labels" if "regression_labels" in values else "labels"
    needed = [key for key, _ in _COLUMNS.values()] + ["id", label]
    missing = [key for key in needed if key not in values]
    if missing:
        raise DataError(f"{where}: expected {', '.join(needed)}, found {_described(values)}")
    arrays = {
        name: _array(values[key], key, columns, where) for name, (key, columns) in _COLUMNS.items()
    }
    number = len(arrays["text"])
    labels = np.asarray(values[label], np.float64).reshape(len(values[label]), -1)
    ids, videos, intervals = _identify(values["id"], where)
    sentences = [str(text) for text in values.get("raw_text", [""] * number)]
    lengths = {key: len(array) for key, array in arrays.items()}
    lengths |= {label: len(labels), "id": len(ids), "raw_text": len(sentences)}
    if len(set(lengths.values())) > 1 or labels.shape[1] != 1:
        raise DataError(
            f"{where}: expected as many of each, and one label a sample, found "
            f"{', '.join(f'{n} {key}' for key, n in lengths.items())} and labels "
            f"{np.shape(values[label])}"
        )
    return PickledSplit(
        arrays, ids, videos, labels, intervals, sentences, _text_lengths(values, number, where)
    )


def _array(value: Any, key: str, columns: int | None, where: str) -> np.ndarray:
    found = np.shape(value) if isinstance(value, np.ndarray) else type(value).__name__
    if not isinstance(value, np.ndarray) or value.ndim != 3 or value.dtype.kind != "f":
        raise DataError(
            f"{where}: expected {key} as numbers (N, T, {columns or 'D'}), found {found}"
        )
    if columns and value.shape[2] != columns:
        raise DataError(f"{where}: expected {columns} columns of {key}, found {found}")
    return value


def _identify(
    ids: Any, where: str
) -> tuple[list[str], list[str], list[tuple[float, float] | None]]:
    """Ids, their videos, and begin and end in seconds where the ids have them."""
    rows = [np.asarray(entry).reshape(-1).tolist() for entry in ids]
    words = [[w.decode() if isinstance(w, bytes) else str(w) for w in row] for row in rows]
    try:
        if all(len(row) == 3 for row in words):
            times: list[tuple[float, float] | None] = [(float(b), float(e)) for _, b, e in words]
            names = [f"{video}[{begin}-{end}]" for video, begin, end in words]
        elif all(len(row) == 1 and "$_$" in row[0] for row in words):
            times, names = [None] * len(words), [row[0] for row in words]
        else:
            raise ValueError
    except ValueError as error:
        raise DataError(
            f"{where}: expected ids <video>$_$<clip> or (video, begin, end), found "
            f"{words[0] if words else 'none'}"
        ) from error
    if len(set(names)) < len(names):
        raise DataError(f"{where}: expected an id for each sample, found some that repeat")
    return names, [row[0].partition("$_$")[0] for row in words], times


def _text_lengths(values: Mapping[str, Any], number: int, where: str) -> np.ndarray | None:
    """Number of word pieces, from the mask that BERT was given."""
    if "text_bert" not in values:
        return None
    pieces = np.asarray(values["text_bert"])
    if pieces.ndim != 3 or pieces.shape[:2] != (number, 3):
        raise DataError(f"{where}: expected text_bert ({number}, 3, T), found {pieces.shape}")
    return pieces[:, 1].sum(1).astype(np.int64)


def padding(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of rows of zeros before and after each sample of (N, T, d): two arrays (N,)."""
    before, after = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(array), _BLOCK):
        there = (array[start : start + _BLOCK] != 0).any(2)  # (n, T)
        empty = ~there.any(1)
        for counts, rows in ((before, there), (after, there[:, ::-1])):
            counts.append(np.where(empty, array.shape[1], rows.argmax(1)))
    return np.concatenate(before), np.concatenate(after)


def not_finite(array: np.ndarray) -> int:
    """Number of NaN and infinities."""
    blocks = range(0, len(array), _BLOCK)
    return sum(int((~np.isfinite(array[start : start + _BLOCK])).sum()) for start in blocks)


def _entries(content: Any) -> Mapping[Any, Any]:
    return content if isinstance(content, dict) else {}


def _described(content: Any) -> str:
    if isinstance(content, dict):
        return ", ".join(map(str, content)) or "an empty dictionary"
    return f"a {type(content).__name__}"
