"""A tiny rendered RAVDESS for tests: four actors, made once a session and shared by its workers."""

import os
from pathlib import Path

import pytest

from datamodules.ravdess.prepare import RavdessSettings
from datamodules.ravdess.sample.render import RavdessSample

ACTORS = 4
CLIPS = ACTORS * 32
FOLDS = [[1, 2], [3, 4]]
SETTINGS = RavdessSettings(frames=4, size=24)
REAL_DATA = Path(__file__).parents[2] / "shared" / "data"

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason="the real data does not lie beside the checkout"
)


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all test processes of one session share."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def tiny_ravdess(folder: Path) -> tuple[Path, Path]:
    """Render and prepare; later calls only look. Returns the raw and the packed folder."""
    raw, packed = folder / "ravdess_raw", folder / "ravdess_packed"
    sample = RavdessSample(
        root=packed, raw=raw, protocol="paper", settings=SETTINGS, actors=ACTORS, workers=2
    )
    sample.ensure()
    return raw, packed
