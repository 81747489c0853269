"""Alignment of CMU-MOSEI as slowly and as plainly as the SDK's rules can be written down."""

import math
from typing import Any

import numpy as np

EPS = 1e-5
Content = dict[str, dict[str, tuple[Any, Any]]]  # kind -> video -> intervals, features
SEQUENCES = ("words", "visual", "audio")


def rows_in(sequence: tuple[Any, Any], t0: float, t1: float) -> list[int]:
    """Rows that overlap [t0, t1], in the order of time."""
    intervals = [[float(np.float32(t)) for t in interval] for interval in sequence[0]]
    kept = []
    for row in sorted(range(len(intervals)), key=lambda r: intervals[r][0]):
        start, end = intervals[row]
        if start < t1 + EPS and end > t0 - EPS:
            clipped = min(end, t1) - max(start, t0)
            if clipped > EPS:
                kept.append(row)
    return kept


def clean(vector: Any) -> list[float]:
    return [float(x) if math.isfinite(x) else 0.0 for x in vector]


def left_padded(rows: list[list[float]], steps: int, columns: int) -> np.ndarray:
    rows = rows[-steps:]
    return np.array([[0.0] * columns] * (steps - len(rows)) + rows, np.float32)


def align(
    content: Content, videos: list[str], *, by_word: bool, keep_silence: bool, steps: int
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, str]]:
    """Segment -> arrays of `visual` and `audio`, and its sentence; none where one is missing."""
    arrays: dict[str, dict[str, np.ndarray]] = {}
    sentences: dict[str, str] = {}
    for video, (segments, _) in sorted(content["labels"].items()):
        if video not in videos or any(video not in content[kind] for kind in SEQUENCES):
            continue
        words = content["words"][video]
        for number, segment in enumerate(segments):
            t0, t1 = (float(np.float32(t)) for t in segment)
            if abs(t0 - t1) < EPS:
                continue
            spoken = rows_in(words, t0, t1)
            if not keep_silence:
                spoken = [row for row in spoken if words[1][row][0] != b"sp"]
            found: dict[str, list[list[float]]] = {}
            for kind in ("visual", "audio"):
                sequence = content[kind][video]
                if by_word:
                    found[kind] = averages(sequence, words, spoken[-steps:])
                else:
                    found[kind] = [clean(sequence[1][row]) for row in rows_in(sequence, t0, t1)]
            if not spoken or not all(any(r is not None for r in rows) for rows in found.values()):
                continue
            name = f"{video}[{number}]"
            sentences[name] = " ".join(words[1][row][0].decode() for row in spoken)
            arrays[name] = {}
            for kind, rows in found.items():
                columns = np.shape(content[kind][video][1])[1]
                filled = [[0.0] * columns if r is None else r for r in rows]
                arrays[name][kind] = left_padded(filled, steps, columns)
    return arrays, sentences


def averages(sequence: tuple[Any, Any], words: tuple[Any, Any], spoken: list[int]) -> list[Any]:
    """Mean over the rows of each whole word; None where a word has none."""
    means: list[Any] = []
    for word in spoken:
        w0, w1 = (float(np.float32(t)) for t in words[0][word])
        rows = [clean(sequence[1][row]) for row in rows_in(sequence, w0, w1)]
        means.append([sum(column) / len(rows) for column in zip(*rows)] if rows else None)  # noqa: B905
    return means
