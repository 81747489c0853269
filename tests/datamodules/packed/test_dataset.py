import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from datamodules.packed.dataset import PackedDataset, file_hash, manifest_hash, read_manifest
from datamodules.packed.errors import DataError
from datamodules.packed.verify import verify_packed
from tests.sample_data import CLIPS


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "packed"))


def open_packed(root: Path) -> PackedDataset:
    return PackedDataset(root, task="ravdess", protocol="paper")


def change_manifest(root: Path, **entries: object) -> None:
    path = root / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_manifest_describes_the_files(packed: Path) -> None:
    dataset = open_packed(packed)
    manifest = dataset.manifest
    assert len(dataset) == CLIPS == manifest["counts"]["packed"]
    assert list(dataset.modalities) == ["action_units", "audio", "video"]
    for modality, entry in dataset.modalities.items():
        array = np.load(packed / f"{modality}.npy")
        assert list(array.shape) == entry["shape"]
        assert str(array.dtype) == entry["dtype"]
        assert file_hash(packed / f"{modality}.npy") == entry["sha256"]
    assert manifest["provenance"] == "sample"
    assert manifest["settings"]["frames"] == 4
    assert manifest["source"]["files"] == 2 * CLIPS


def test_arrays_are_read_lazily_and_cannot_be_written(packed: Path) -> None:
    array = open_packed(packed).array("video")
    assert array.dtype == np.uint8
    assert not array.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0


def test_hash_knows_contents_but_not_times(copy: Path) -> None:
    before = manifest_hash(copy)
    change_manifest(copy, made={"at": "some other time"})
    assert manifest_hash(copy) == before
    change_manifest(copy, settings={"frames": 5})
    assert manifest_hash(copy) != before


def test_no_packed_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found a folder without one; make one with scripts"):
        read_manifest(tmp_path)
    with pytest.raises(DataError, match="found no such folder"):
        read_manifest(tmp_path / "nowhere")
    (tmp_path / "index.csv").touch()
    with pytest.raises(DataError, match="found a file"):
        read_manifest(tmp_path / "index.csv")


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_manifest_that_is_none(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: expected (a|the) manifest"):
        read_manifest(copy)


def test_manifest_of_another_format(copy: Path) -> None:
    change_manifest(copy, format=99)
    with pytest.raises(DataError, match="expected format 1, found 99; prepare again"):
        read_manifest(copy)


def test_other_protocol_or_task(packed: Path) -> None:
    with pytest.raises(DataError, match="expected protocol released, found paper; train with"):
        PackedDataset(packed, task="ravdess", protocol="released")
    with pytest.raises(DataError, match="expected task ntu, found ravdess"):
        PackedDataset(packed, task="ntu", protocol="paper")


def test_cut_off_array(copy: Path) -> None:
    whole = (copy / "audio.npy").read_bytes()
    (copy / "audio.npy").write_bytes(whole[:-1000])
    with pytest.raises(DataError, match=r"audio\.npy: expected .* cut off or damaged"):
        open_packed(copy).array("audio")


def test_missing_array(copy: Path) -> None:
    (copy / "audio.npy").unlink()
    with pytest.raises(DataError, match=r"audio\.npy: expected a whole array"):
        open_packed(copy).array("audio")


def test_array_of_another_set(copy: Path) -> None:
    np.save(copy / "audio.npy", np.zeros((CLIPS, 13, 100), np.float32))
    with pytest.raises(DataError, match=r"found float32 \[128, 13, 100\]: array and manifest"):
        open_packed(copy).array("audio")


def test_manifest_with_another_number_of_rows(copy: Path) -> None:
    index = read_manifest(copy)["index"]
    change_manifest(copy, index=index | {"rows": 7})
    with pytest.raises(DataError, match="expected 7 rows, found 128"):
        open_packed(copy).array("audio")


def test_index_of_another_set(copy: Path) -> None:
    lines = (copy / "index.csv").read_text().splitlines()
    (copy / "index.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DataError, match=r"index\.csv: expected the index that the manifest"):
        open_packed(copy)


def test_modality_that_is_not_packed(packed: Path) -> None:
    with pytest.raises(DataError, match="modality depth, found action_units, audio, video"):
        open_packed(packed).array("depth")


def test_verifying_reads_every_byte(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify_packed(copy)
    assert "4 files" in capsys.readouterr().out
    array = np.load(copy / "audio.npy")
    np.save(copy / "audio.npy", array[::-1])  # same type, shape and size
    open_packed(copy).array("audio")  # which is all that training looks at
    with pytest.raises(DataError, match=r"found others: audio.npy \(sha256 expected \w{8}, found"):
        verify_packed(copy)
    (copy / "audio.npy").unlink()
    (copy / "index.csv").write_text("id\n")
    with pytest.raises(DataError, match=r"audio.npy .* found no file\), index.csv \(sha256"):
        verify_packed(copy)


@pytest.mark.parametrize(
    ("label", "said"),
    [("8", "expected label from 0 to 7, found 0 to 8"), ("-1", "found -1 to 7"),
     ("calm", "expected whole numbers as label"), ("9" * 30, "expected whole numbers as label")],
)  # fmt: skip
def test_labels_that_are_none(copy: Path, label: str, said: str) -> None:
    head, first, *others = (copy / "index.csv").read_text().splitlines()
    place = head.split(",").index("label")
    cells = first.split(",")
    cells[place] = label
    (copy / "index.csv").write_text("\n".join([head, ",".join(cells), *others, ""]))
    index = read_manifest(copy)["index"]
    change_manifest(copy, index=index | {"sha256": file_hash(copy / "index.csv")})
    packed = open_packed(copy)
    assert len(packed.numbers("actor")) == CLIPS
    with pytest.raises(DataError, match=f"index.csv: .*{said}"):
        packed.numbers("label", below=8)
    with pytest.raises(DataError, match="expected a column subject, found none"):
        packed.numbers("subject")
