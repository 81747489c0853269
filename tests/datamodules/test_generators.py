"""The bytes of each generator's version: a sample is known by its version, not by its bytes.

Text and whole numbers are compared exactly. Other processors round other last bits, so arrays of
floating-point numbers are compared by a few numbers that sum them up.
"""

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

from datamodules.formats.utd_mhad import read_depth, read_inertial, read_joints
from datamodules.formats.video import look_at, read_frames
from datamodules.mosei.prepare import MoseiSettings
from datamodules.mosei.sample.render import ENCODER, MoseiSample
from datamodules.ntu.sample.render import NtuSample
from datamodules.packed.sample import RenderedSample
from datamodules.ravdess.sample.render import RavdessSample
from datamodules.utd_mhad.sample.render import UtdMhadSample
from tests.sample_data import session_folder
from tests.utd_mhad_data import tiny_utd_mhad

FEW = {"train": 5, "valid": 2, "test": 3}
PINNED: dict[str, dict[str, Any]] = {
    "ravdess": {
        "version": 3,
        "csv": "8ac0b508695e6e6b",
        "frames": "8ea3feccbc34917a",
        "index": "183a55113720fb55",
        "action_units": [128, 35, 0.3754, 0.5351, 0.03241],
        "audio": [128, 13, 212, -25.16, 128.2, -0.1613],
        "video": "c4f3860038a80840",
    },
    "ntu": {
        "version": 2,
        "skeletons": "bcf98531050d12ce",
        "frames": "134e83cc934748c6",
        "index": "886515276428f75c",
        "skeleton": [120, 3, 20, 25, 2, 0.4788, 1.111, 0.00883],
        "skeleton_length": "d1754e92673c49f5",
        "video": "60bbb901d9b576fb",
    },
    "utd_mhad": {
        "version": 1,
        "Skeleton": [20, 3, 53, 0.7512, 1.412, -0.03829],
        "Inertial": [89, 6, -36.01, 209.4, -24.84],
        "Depth": "b029ae00842d1acd",
        "index": "2df2994ef74c0604",
        "depth": "acf44e9fed571b91",
        "inertial": [72, 6, 95, -1.117, 154.3, 0.8481],
        "inertial_length": "7ddfe59a0cc06f68",
        "skeleton": [72, 3, 57, 20, 1, 0.6838, 1.276, 0.002457],
        "skeleton_length": "5a3c1af818774470",
    },
    "mosei": {
        "version": 1,
        "folds": "11993f6828d21b10",
        "CMU_MOSEI_COVAREP features": [2498, 74, 0.01203, 0.6934, -0.000649],
        "CMU_MOSEI_COVAREP intervals": [2498, 2, 14.01, 8.881, 0.1889],
        "CMU_MOSEI_Labels features": [47, 7, 0.2837, 0.6269, 0.008661],
        "CMU_MOSEI_Labels intervals": [47, 2, 14.48, 9.576, -0.002282],
        "CMU_MOSEI_TimestampedWords features": "b5593df6312a304b",
        "CMU_MOSEI_TimestampedWords intervals": [906, 2, 14.27, 8.792, 0.1802],
        "CMU_MOSEI_VisualFacet42 features": [1236, 35, 0.05752, 0.4981, 0.003332],
        "CMU_MOSEI_VisualFacet42 intervals": [1236, 2, 14.2, 8.859, 0.1369],
        "embeddings.word_embeddings.weight": [121, 32, 0.01714, 0.9824, 0.002883],
        "encoder.layer.1.output.dense.weight": [32, 64, 0.0007564, 0.09952, -0.001085],
        "index": "694c36af4acd15e7",
        "audio": [40, 32, 74, 0.006309, 0.3745, -0.001729],
        "text": [40, 32, 32, -5.629e-10, 0.7469, 3.65e-06],
        "visual": [40, 32, 35, 0.03271, 0.2788, 0.002327],
    },
}
ADVICE = (
    "what is rendered or packed has changed, and runs know a sample by its generator's version "
    "alone: raise `version` in {place}, then record the new values here"
)


def sha(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def summary(array: np.ndarray) -> str | list[float]:
    """The hash of whole numbers; of others the shape, then mean, spread, and mean along a ramp."""
    if array.dtype.kind != "f":
        return sha(str(array.shape).encode(), np.ascontiguousarray(array).tobytes())
    values = np.where(np.isfinite(array), array, 0).astype(np.float64).ravel()
    ramp = np.linspace(-1, 1, len(values))
    figures = (values.mean(), values.std(), (values * ramp).mean())
    return [*array.shape, *(float(f"{figure:.4g}") for figure in figures)]


def texts(raw: Path, suffix: str) -> str:
    files = sorted(raw.rglob(f"*{suffix}"))
    assert files
    return sha(*(part for f in files for part in (f.name.encode(), f.read_bytes())))


def frames(raw: Path, suffix: str) -> Any:
    first = min(raw.rglob(f"*{suffix}"))
    return summary(read_frames(first, list(range(look_at(first).frames))))


def packed_parts(packed: Path) -> dict[str, Any]:
    arrays = {path.stem: summary(np.load(path)) for path in sorted(packed.glob("*.npy"))}
    return {"index": sha((packed / "index.csv").read_bytes()), **arrays}


def check(kind: type[RenderedSample], found: dict[str, Any]) -> None:
    expected = PINNED[kind.task]
    found = {"version": kind.version, **found}
    assert found.keys() == expected.keys()
    for part, value in found.items():
        says = f"{kind.task}, {part}: {ADVICE.format(place=kind.__module__)}"
        numbers = isinstance(value, list)
        wanted = pytest.approx(expected[part], rel=1e-3, abs=1e-6) if numbers else expected[part]
        assert value == wanted, says


def test_ravdess(raw: Path, packed: Path) -> None:
    found = {"csv": texts(raw, ".csv"), "frames": frames(raw, ".mp4")}
    check(RavdessSample, found | packed_parts(packed))


def test_ntu(ntu_raw: Path, ntu_packed: Path) -> None:
    skeletons = texts(ntu_raw, ".skeleton")
    found = {"skeletons": skeletons, "frames": frames(ntu_raw, ".avi")}
    check(NtuSample, found | packed_parts(ntu_packed))


def test_utd_mhad(tmp_path_factory: pytest.TempPathFactory) -> None:
    raw, packed = tiny_utd_mhad(session_folder(tmp_path_factory))
    read = {"Skeleton": read_joints, "Inertial": read_inertial, "Depth": read_depth}
    found = {name: summary(reader(min((raw / name).iterdir()))) for name, reader in read.items()}
    check(UtdMhadSample, found | packed_parts(packed))


def test_mosei(tmp_path: Path) -> None:
    raw, packed = tmp_path / "raw", tmp_path / "packed"
    settings = MoseiSettings(steps=32)
    options: dict[str, Any] = {"protocol": "paper", "settings": settings, "videos": FEW}
    MoseiSample(root=packed, raw=raw, workers=1, **options).ensure()
    found = {"folds": texts(raw, "folds.json")}
    for path in sorted(raw.glob("*.csd")):
        with h5py.File(path) as file:
            (root,) = file
            for kind in ("features", "intervals"):
                streams = [np.array(stream[kind]) for stream in file[root]["data"].values()]
                found[f"{path.stem} {kind}"] = summary(np.concatenate(streams))
    weights = load_file(raw / ENCODER / "model.safetensors")
    for name in ("embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.weight"):
        found[name] = summary(weights[name])
    check(MoseiSample, found | packed_parts(packed))
