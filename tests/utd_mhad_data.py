"""UTD-MHAD for tests: files of random numbers, and a tiny rendered sample made once a session."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from datamodules.utd_mhad.recording import UtdMhadSettings
from datamodules.utd_mhad.sample.render import UtdMhadSample

SETTINGS = UtdMhadSettings(frames=4, size=20)
TRIALS = 1
SAMPLES = 8 * 9 * TRIALS
MISSING = ("a8_s1_t4", "a23_s6_t4", "a27_s8_t4")  # of the published data set
KEYS = {"skeleton": "d_skel", "inertial": "d_iner", "depth": "d_depth"}


def random_array(modality: str, steps: int = 6, seed: int = 0) -> np.ndarray:
    """As published, but for the number of steps."""
    g = np.random.default_rng(seed)
    if modality == "skeleton":
        return g.normal(size=(20, 3, steps))
    if modality == "inertial":
        return g.normal(size=(steps, 6))
    frames = np.zeros((240, 320, steps), np.uint16)
    frames[40:200, 100:180] = g.integers(2000, 3000, (160, 80, steps))
    return frames


def write_mat(folder: Path, name: str, modality: str, array: Any = None, key: str = "") -> Path:
    """Write one file, of random numbers if not given."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_{modality}.mat"
    content = random_array(modality) if array is None else array
    savemat(path, {key or KEYS[modality]: content}, do_compression=True)
    return path


def all_names() -> list[str]:
    """The 861 recordings of the published data set."""
    every = [f"a{a}_s{s}_t{t}" for a in range(1, 28) for s in range(1, 9) for t in range(1, 5)]
    return [name for name in every if name not in MISSING]


def tiny_utd_mhad(folder: Path) -> tuple[Path, Path]:
    """Render and prepare; later calls only look. Returns the raw and the packed folder."""
    raw, packed = folder / "utd_mhad_raw", folder / "utd_mhad_packed"
    sample = UtdMhadSample(
        root=packed, raw=raw, protocol="paper", settings=SETTINGS, trials=TRIALS, workers=2
    )
    sample.ensure()
    return raw, packed
