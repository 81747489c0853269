"""Small MOSEI raw files for tests, written field by field as the SDK's documentation has them."""

import csv
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


def mmsa(steps: Mapping[str, int] | None = None, samples: int = 4) -> dict[str, Any]:
    """MMSA's layout: face and voice padded on the left, word pieces on the right."""
    steps = {"vision": 50, "audio": 50, "text": 50} | dict(steps or {})
    content = {}
    for letter, split in zip("vwx", ("train", "valid", "test"), strict=True):
        generator = np.random.default_rng(ord(letter))
        values = {
            key: generator.normal(size=(samples, steps[key], columns))
            for key, columns in (("vision", 35), ("audio", 74), ("text", 12))
        }
        bert = np.zeros((samples, 3, 50))
        for sample in range(samples):
            bert[sample, 1, : 3 + sample % 3] = 1
            values["vision"][sample, : 10 + sample] = 0
            values["audio"][sample, : 30 - sample] = 0
        values["audio"][0, -1, 0] = -np.inf
        content[split] = values | {
            "id": [f"{letter}{sample // 2}$_${sample % 2}" for sample in range(samples)],
            "raw_text": [f"text {sample}" for sample in range(samples)],
            "text_bert": bert,
            "regression_labels": np.linspace(-3, 3, samples),
            "classification_labels": np.zeros(samples),
        }
    return content


def mult(samples: int = 4) -> dict[str, Any]:
    """MulT's layout: everything padded on the left, ids with times, no words."""
    content = {}
    for split, values in mmsa(samples=samples).items():
        values["text"][:, :20] = 0
        times = [
            [values["id"][i].split("$")[0], str(2.0 * i), str(2.0 * i + 1.5)]
            for i in range(samples)
        ]
        content[split] = {key: values[key] for key in ("vision", "audio", "text")} | {
            "id": np.array(times),
            "labels": values["regression_labels"].reshape(-1, 1, 1),
        }
    return content


def index_of(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def manifest_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "manifest.json").read_text())
