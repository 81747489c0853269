"""A packed CMU-MOSEI of random numbers for tests, written as `prepare` writes it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datamodules.packed.dataset import INDEX, write_index
from tests.sample_data import write_manifest

WIDTHS = {"visual": 35, "audio": 74, "text": 6}
VIDEOS = {"train": 10, "valid": 3, "test": 4}  # videos of each split, with three segments each
SEGMENTS = 3


def write_packed(
    root: Path,
    *,
    steps: int = 8,
    videos: Mapping[str, int] = VIDEOS,
    changes: Mapping[int, Mapping[str, object]] | None = None,
) -> Path:
    """Write a set in which entry [i, t, c] of every array tells row, step and channel.

    Args:
        root: the folder to make.
        steps: T.
        videos: number of videos of each split.
        changes: row -> what its index says otherwise.
    """
    root.mkdir(parents=True)
    rows: list[dict[str, object]] = []
    for split, count in videos.items():
        for video in range(count):
            for segment in range(SEGMENTS):
                row = len(rows)
                lengths = {f"{m}_length": 1 + row % steps for m in WIDTHS}
                name = f"{split}{video}"
                entry = {"id": f"{name}[{segment}]", "video": name, "split": split}
                rows.append({**entry, "label": round((row % 19 - 9) / 3, 7), **lengths})
    for row, entries in (changes or {}).items():
        rows[row] |= entries
    write_index(root / INDEX, rows)
    for number, (modality, width) in enumerate(WIDTHS.items()):
        shape = (len(rows), steps, width)
        kind = np.float16 if modality == "text" else np.float32
        values = np.add.outer(np.add.outer(np.arange(len(rows)), np.arange(steps) / 8), np.zeros(1))
        channels = np.arange(width) / 128 + number * 256
        np.save(root / f"{modality}.npy", np.broadcast_to(values + channels, shape).astype(kind))
    settings = {"alignment": "word", "keep_silence": False, "text_padding": "zero"}
    write_manifest(root, rows, task="mosei", provenance="sample", settings=settings)
    return root
