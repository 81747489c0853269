"""A packed CMU-MOSEI of random numbers, as `prepare protocol=released` would describe it."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from datamodules.packed.dataset import MANIFEST
from tests.mosei_data import SEGMENTS, VIDEOS, WIDTHS, write_packed

TESTED = slice(-VIDEOS["test"] * SEGMENTS, None)  # the rows of the test split


def released_mosei(root: Path, seed: int = 0) -> Path:
    write_packed(root)
    random = np.random.default_rng(seed)
    for modality in WIDTHS:
        array = np.load(root / f"{modality}.npy", mmap_mode="r+")
        array[:] = random.normal(size=array.shape)
        array.flush()
    manifest = json.loads((root / MANIFEST).read_text())
    manifest["protocol"] = "released"
    manifest["settings"] = {"alignment": "label", "keep_silence": True, "text_padding": "encoded"}
    manifest["note"] = seed  # other data are another manifest
    (root / MANIFEST).write_text(json.dumps(manifest))
    return root


def scores_of(old: nn.Module, root: Path) -> np.ndarray:
    """What the old network predicts for the test rows, `(N, 1)`, from the arrays as they lie."""
    rows = {m: np.load(root / f"{m}.npy")[TESTED].astype(np.float32) for m in WIDTHS}
    with torch.inference_mode():
        return old({m: torch.from_numpy(x).mT for m, x in rows.items()}).numpy()


def labels() -> np.ndarray:
    every = np.array([(row % 19 - 9) / 3 for row in range(sum(VIDEOS.values()) * SEGMENTS)])
    return every[TESTED]
