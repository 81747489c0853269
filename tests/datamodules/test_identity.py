"""What a data set is, known without making it; no construction writes anything."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datamodules import MOSEI, NTU, RAVDESS, UtdMhad
from datamodules.mosei.prepare import MoseiSettings
from datamodules.ntu.prepare import NtuSettings
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.dataset import MANIFEST, manifest_hash
from datamodules.packed.errors import DataError
from datamodules.ravdess.prepare import RavdessSettings
from datamodules.utd_mhad.recording import UtdMhadSettings
from tests.mosei_data import write_packed
from tests.sample_data import ACTORS, SETTINGS

ROOT = Path(__file__).parents[2]
COMMON: dict[str, Any] = {"batch_size": 4, "seed": 1, "protocol": "paper"}
OWN: dict[str, tuple[type[PackedDataModule], dict[str, Any], dict[str, Any]]] = {
    "ravdess": (
        RAVDESS,
        {"modalities": ["audio"], "fold": 0, "folds": [[1, 2], [3, 4]]},
        {"settings": RavdessSettings(), "actors": 4},
    ),
    "mosei": (
        MOSEI,
        {"modalities": ["audio"]},
        {"settings": MoseiSettings(), "videos": {"train": 5, "valid": 2, "test": 3}},
    ),
    "ntu": (
        NTU,
        {
            "modalities": ["video"],
            "fold": "cv",
            "split": {"by": "camera", "train": [2, 3], "test": [1]},
            "validation_subjects": [2],
        },
        {"settings": NtuSettings(), "subjects": 4},
    ),
    "utd_mhad": (
        UtdMhad,
        {"modalities": ["inertial"], "fold": 0, "subjects": [1, 2, 3, 4]},
        {"settings": UtdMhadSettings(), "trials": 2},
    ),
}
AMOUNT = {"ravdess": "actors", "mosei": "videos", "ntu": "subjects", "utd_mhad": "trials"}


def sample_of(task: str, folder: Path, *, protocol: str = "paper", **changes: Any) -> Any:
    kind, own, sample = OWN[task]
    sample = {"raw": str(folder / "raw"), **sample, **changes}
    return kind(folder / "packed", **COMMON | own | {"protocol": protocol, "sample": sample})


@pytest.mark.parametrize("task", OWN)
def test_a_sample_is_known_before_it_is_rendered(task: str, tmp_path: Path) -> None:
    one, again = sample_of(task, tmp_path / "a"), sample_of(task, tmp_path / "b")
    assert one.identity == again.identity  # wherever it lies
    assert one.provenance == "sample"
    assert not list(tmp_path.iterdir())  # nothing was rendered, written or created
    with pytest.raises(DataError, match="expected a packed data set, found no such folder"):
        _ = one.manifest_hash


@pytest.mark.parametrize("task", OWN)
def test_what_changes_the_sample_changes_its_identity(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = OWN[task][2]["settings"]
    first = next(iter(vars(settings)))
    other: Any = {"word": "label"}.get(vars(settings)[first], 7)
    fewer = {"train": 6, "valid": 2, "test": 3} if task == "mosei" else 3
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 5},
        {"protocol": "released"},
        {"settings": replace(settings, **{first: other})},
        {AMOUNT[task]: fewer},
    ]
    identities = [sample_of(task, tmp_path, **change).identity for change in changes]
    monkeypatch.setattr(OWN[task][0].sample_class, "version", 99)
    identities.append(sample_of(task, tmp_path).identity)
    assert len(set(identities)) == len(changes) + 1
    assert sample_of(task, tmp_path).identity == sample_of(task, tmp_path, workers=1).identity


def test_the_identity_stays_when_the_sample_is_there(raw: Path, packed: Path) -> None:
    kind, own, _ = OWN["ravdess"]
    sample = {"raw": str(raw), "settings": SETTINGS, "actors": ACTORS}
    module = kind(packed, **COMMON | own | {"sample": sample})
    before = module.identity
    module.prepare_data()
    module.setup()
    assert module.identity == before != module.manifest_hash == manifest_hash(packed)


def test_another_set_where_the_sample_should_be_is_not_opened(packed: Path) -> None:
    kind, own, _ = OWN["ravdess"]
    sample = {"raw": "nowhere", "settings": SETTINGS, "actors": ACTORS + 1}
    with pytest.raises(DataError, match=r"rendered\.actors: .* there, .* wanted"):
        kind(packed, **COMMON | own | {"sample": sample}).setup()


def test_a_packed_set_is_known_by_its_manifest(tmp_path: Path) -> None:
    root = write_packed(tmp_path / "packed")
    module = MOSEI(root, modalities=["audio"], **COMMON)
    assert module.identity == module.manifest_hash == manifest_hash(root)
    manifest = json.loads((root / MANIFEST).read_text())
    (root / MANIFEST).write_text(json.dumps(manifest | {"provenance": "real"}))
    assert module.provenance == "real"
    gone = MOSEI(tmp_path / "gone", modalities=["audio"], **COMMON)
    for name in ("identity", "provenance"):
        with pytest.raises(DataError, match="expected a packed data set, found no such folder"):
            getattr(gone, name)


def test_neither_torch_nor_the_readers_libraries_are_needed_for_it() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path; from tests.datamodules.test_identity import OWN, sample_of\n"
        "for task in OWN: sample_of(task, Path('nowhere')).identity\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(names & {'torch', 'pytorch_lightning', 'transformers', 'h5py', 'av', 'cv2', "
        "'librosa', 'soundfile'})"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.split() == ["set()"], out.stderr
