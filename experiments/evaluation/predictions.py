"""What a run predicted on its test split, as `predictions.npz` keeps it."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.runs.errors import reading
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class Predictions:
    """A run's predictions on the test split under one rule: `(N,)`, `(N,)`, `(N, K)`."""

    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    @property
    def mistake(self) -> str:
        """Say why these are no predictions; nothing if they are."""
        ids, labels, scores = self.ids, self.labels, self.scores
        counts = f"{len(ids)} ids, {len(labels)} labels, {len(scores)} scores"
        if (ids.ndim, labels.ndim, scores.ndim) != (1, 1, 2) or ids.dtype.kind != "U":
            return "arrays of other kinds"
        if labels.dtype.kind not in "iuf" or scores.dtype.kind != "f":
            return f"labels of {labels.dtype} and scores of {scores.dtype}"
        if not len(ids) == len(labels) == len(scores) or not scores.size:
            return counts
        if not np.isfinite(labels).all():
            return "labels that are no numbers"
        classes = scores.shape[1]
        if labels.dtype.kind != "f" and not 0 <= labels.min() <= labels.max() < classes:
            return f"labels from {labels.min()} to {labels.max()} of {classes} classes"
        return ""


def read_predictions(file: Path, rule: str) -> Predictions:
    """Read the predictions under one reporting rule.

    Raises:
        RunError: if the file is missing, damaged, compressed, or not of a run.
    """
    advice = "copy the run folder again, or train it again with rerun=true"
    with reading(file, f"ids, labels and scores_{rule}", advice):
        _refuse_compressed(file)
        with np.load(file, allow_pickle=False) as data:
            found = Predictions(data["ids"], data["labels"], data[f"scores_{rule}"])
    if wrong := found.mistake:
        raise RunError(f"{file}: expected ids, labels and scores alike, found {wrong}; {advice}")
    return found


def _refuse_compressed(file: Path) -> None:
    """Refuse a file that could be larger than memory once it is unpacked; ours are stored as is."""
    with zipfile.ZipFile(file) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise ValueError("it is compressed, which train.py does not do")
