import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from datamodules.packed.errors import DataError
from datamodules.utd_mhad.prepare import prepare_utd_mhad
from datamodules.utd_mhad.recording import UtdMhadSettings, depth_video
from tests.utd_mhad_data import SETTINGS, random_array, write_mat

MODALITIES = ("skeleton", "inertial", "depth")


def prepare(raw: Path, out: Path, **options: Any) -> dict[str, Any]:
    given = {"protocol": "paper", "settings": SETTINGS, "workers": 1} | options
    prepare_utd_mhad(raw, out, **given)
    return json.loads((out / "manifest.json").read_text())


def write_recording(raw: Path, name: str, **arrays: Any) -> None:
    for modality in MODALITIES:
        write_mat(raw, name, modality, arrays.get(modality))


def index(packed: Path) -> list[dict[str, str]]:
    with (packed / "index.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Two sound recordings and four of which one file is missing or unusable, prepared."""
    base = tmp_path_factory.mktemp("damaged")
    raw = base / "raw"
    write_recording(raw, "a10_s8_t4", skeleton=random_array("skeleton", 9))
    write_recording(raw, "a2_s1_t1", inertial=random_array("inertial", 4))
    write_recording(raw, "a3_s1_t1")
    (raw / "a3_s1_t1_depth.mat").unlink()
    write_recording(raw, "a4_s1_t1", skeleton=np.full((20, 3, 5), np.nan))
    write_recording(raw, "a5_s1_t1", depth=np.zeros((120, 160, 5), np.uint16))
    write_recording(raw, "a6_s1_t1")
    (raw / "a6_s1_t1_inertial.mat").write_bytes(b"MATLAB 7.3 MAT-file")
    (raw / "Skeleton_joint_order.txt").write_text("1. head;")
    write_mat(raw, "a7_s9_t1", "skeleton")
    out = base / "out"
    return out, prepare(raw, out)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a3_s1_t1", "no depth file"),
        ("a4_s1_t1", "a4_s1_t1_skeleton.mat: expected finite numbers in d_skel, found NaN"),
        ("a5_s1_t1", "a5_s1_t1_depth.mat: expected a body in the depth video"),
        ("a6_s1_t1", "a6_s1_t1_inertial.mat: expected a MATLAB 5 file, found version 7.3"),
    ],
)
def test_unusable_recordings_are_dropped_with_their_reason(
    damaged: tuple[Path, dict[str, Any]], name: str, reason: str
) -> None:
    assert damaged[1]["dropped"][name].startswith(reason)
    assert len(damaged[1]["dropped"]) == 4


def test_sound_recordings_are_packed_as_they_are(damaged: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = damaged
    rows = index(out)
    assert [list(row.values()) for row in rows] == [
        ["a2_s1_t1", "1", "1", "1"],
        ["a10_s8_t4", "8", "4", "9"],
    ]
    assert manifest["counts"]["packed"] == 2
    assert any("a7_s9_t1_skeleton.mat" in warning for warning in manifest["warnings"])
    assert str(out.parent) not in json.dumps(manifest)
    skeleton, inertial = np.load(out / "skeleton.npy"), np.load(out / "inertial.npy")
    assert np.load(out / "skeleton_length.npy").tolist() == [6, 9]
    assert np.load(out / "inertial_length.npy").tolist() == [4, 6]
    assert (skeleton.shape, inertial.shape) == ((2, 3, 9, 20, 1), (2, 6, 6))
    source = random_array("skeleton").astype(np.float32)
    assert skeleton[0, 2, 5, 13, 0] == source[13, 2, 5]
    assert not skeleton[0, :, 6:].any() and not inertial[0, :, 4:].any()
    assert inertial[0, 4, 3] == random_array("inertial", 4).astype(np.float32)[3, 4]


def test_depth_is_exact_and_square_around_the_body(tmp_path: Path) -> None:
    """A body of 32 x 16 pixels at half size: with the margin a square of 40 pixels in 40 steps."""
    frames = np.zeros((120, 160, 8), np.int16)
    frames[50:82, 70:86] = np.arange(1, 9)
    frames[60, 75] = 3000
    path = write_mat(tmp_path, "a1_s1_t1", "depth", frames)
    video = depth_video(path, UtdMhadSettings(frames=4, size=40))
    assert (video.shape, video.dtype) == ((4, 40, 40), np.int16)
    assert [int(v) for v in video[:, 20, 20]] == [2, 4, 6, 8]  # the middle of each part
    assert set(np.unique(video)) == {0, 2, 4, 6, 8, 3000}
    body = video[0] > 0
    assert (body.any(1).sum(), body.any(0).sum()) == (32, 16)
    at_the_edge = np.zeros((120, 160, 2), np.int16)
    at_the_edge[:, :10] = 7
    video = depth_video(
        write_mat(tmp_path, "a2_s1_t1", "depth", at_the_edge), UtdMhadSettings(frames=1, size=40)
    )
    assert not video[0, :, :16].any()  # beyond the frame there is background
    assert video[0, 10:30, 19].all()


def test_one_modality_alone(tmp_path: Path) -> None:
    write_mat(tmp_path / "raw", "a1_s1_t1", "inertial")
    manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert set(manifest["modalities"]) == {"inertial", "inertial_length"}
    assert manifest["counts"]["packed"] == 1


def test_a_folder_without_its_files_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such folder"):
        prepare(tmp_path / "gone", tmp_path / "out")
    (tmp_path / "README.md").touch()
    with pytest.raises(DataError, match="found a file"):
        prepare(tmp_path / "README.md", tmp_path / "out")
    (tmp_path / "Depth.zip").touch()
    with pytest.raises(DataError, match=r"found none; unpack Depth\.zip there"):
        prepare(tmp_path, tmp_path / "out")
    (tmp_path / "a1_s1_t1.mat").touch()
    with pytest.raises(DataError, match=r"found 1 with names such as a1_s1_t1\.mat"):
        prepare(tmp_path, tmp_path / "out")


def test_two_different_files_of_a_recording_are_refused(tmp_path: Path) -> None:
    """Also where they have the same size, as files of the same length have."""
    files = [tmp_path / folder / "a1_s1_t1_skeleton.mat" for folder in "ab"]
    array = random_array("skeleton")
    for other in (random_array("skeleton", 30), array + 1):
        for file, content in zip(files, (array, other), strict=True):
            file.parent.mkdir(exist_ok=True)
            savemat(file, {"d_skel": content})
        with pytest.raises(DataError, match="found another one with other content"):
            prepare(tmp_path, tmp_path / "out")
    assert files[0].stat().st_size == files[1].stat().st_size
