"""A tiny rendered NTU RGB+D for tests: four subjects, made once a session and shared by workers."""

from pathlib import Path
from typing import Any

from datamodules.ntu.prepare import NtuSettings
from datamodules.ntu.sample.render import NtuSample

SUBJECTS = 4
SAMPLES = SUBJECTS * 30
SETTINGS = NtuSettings(frames=4, size=24)
SPLITS: dict[str, dict[str, Any]] = {
    "cs": {"by": "subject", "train": [1, 2], "test": [3, 4]},
    "cv": {"by": "camera", "train": [2, 3], "test": [1]},
}


def tiny_ntu(folder: Path) -> tuple[Path, Path]:
    """Render and prepare; later calls only look. Returns the raw and the packed folder."""
    raw, packed = folder / "ntu_raw", folder / "ntu_packed"
    sample = NtuSample(
        root=packed, raw=raw, protocol="paper", settings=SETTINGS, subjects=SUBJECTS, workers=2
    )
    sample.ensure()
    return raw, packed
