"""Small MOSEI raw files for tests, written field by field as the SDK's documentation has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Sequences = Mapping[str, tuple[Any, Any]]  # video -> intervals (n, 2), features (n, d)
ROOTS = {"words": "words", "visual": "FACET 4.2", "audio": "COAVAREP", "labels": "All Labels"}
NAMES = {
    "words": "CMU_MOSEI_TimestampedWords.csd",
    "visual": "CMU_MOSEI_VisualFacet42.csd",
    "audio": "CMU_MOSEI_COVAREP.csd",
    "labels": "CMU_MOSEI_Labels.csd",
}


def write_csd(path: Path, root: str, sequences: Sequences, **metadata: Any) -> Path:
    with h5py.File(path, "w") as file:
        for video, (intervals, features) in sequences.items():
            file[f"{root}/data/{video}/intervals"] = np.asarray(intervals, np.float32)
            file[f"{root}/data/{video}/features"] = features
        for field, value in ({"root name": root} | metadata).items():
            kind = h5py.string_dtype()
            dataset = file.create_dataset(f"{root}/metadata/{field}", (1,), dtype=kind)
            dataset[0] = json.dumps(value)
    return path


def words(*spoken: tuple[str, float, float]) -> tuple[Any, Any]:
    intervals = [[start, end] for _, start, end in spoken]
    return intervals, np.array([[text.encode()] for text, _, _ in spoken], "S32")


def frames(times: np.ndarray, columns: int, seed: int = 0) -> tuple[Any, Any]:
    """Rows between successive times."""
    features = np.random.default_rng(seed).normal(size=(len(times) - 1, columns))
    return np.stack([times[:-1], times[1:]], 1), features.astype(np.float32)


def labels(intervals: Sequence[Sequence[float]], scores: Sequence[float]) -> tuple[Any, Any]:
    features = np.zeros((len(scores), 7), np.float32)
    features[:, 0] = scores
    return intervals, features


def write_folder(folder: Path, content: Mapping[str, Sequences], folds: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, sequences in content.items():
        write_csd(folder / NAMES[kind], ROOTS[kind], sequences)
    (folder / "folds.json").write_text(json.dumps(folds))
    return folder
