"""A tiny rendered RAVDESS for tests: four actors, made once a session and shared by its workers."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from datamodules.packed.assemble import describe_arrays
from datamodules.packed.dataset import FORMAT, INDEX, MANIFEST, file_hash
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


def write_manifest(root: Path, rows: Sequence[Mapping[str, object]], **entries: Any) -> None:
    """Describe the arrays and the index of a packed set that a test made by itself."""
    index = {"rows": len(rows), "columns": list(rows[0]), "sha256": file_hash(root / INDEX)}
    manifest = {
        "format": FORMAT, "protocol": "paper", "provenance": "real", "settings": {}, "source": {},
        "modalities": describe_arrays(root), "index": index,
        "counts": {}, "dropped": {}, "warnings": [], "made": {},
    }  # fmt: skip
    (root / MANIFEST).write_text(json.dumps(manifest | entries))


def tiny_ravdess(folder: Path) -> tuple[Path, Path]:
    """Render and prepare; later calls only look. Returns the raw and the packed folder."""
    raw, packed = folder / "ravdess_raw", folder / "ravdess_packed"
    sample = RavdessSample(
        root=packed, raw=raw, protocol="paper", settings=SETTINGS, actors=ACTORS, workers=2
    )
    sample.ensure()
    return raw, packed
