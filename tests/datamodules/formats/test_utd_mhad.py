from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from datamodules.formats.utd_mhad import read_depth, read_inertial, read_joints
from datamodules.packed.errors import DataError
from tests.utd_mhad_data import random_array, write_mat

READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "skeleton": read_joints,
    "inertial": read_inertial,
    "depth": read_depth,
}


def test_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    for modality in ("skeleton", "inertial"):
        found = READERS[modality](write_mat(tmp_path, "a1_s1_t1", modality))
        assert found.dtype == np.float32
        assert np.array_equal(found, random_array(modality).astype(np.float32))


def test_depth_as_published_and_at_half_size_is_the_same(tmp_path: Path) -> None:
    whole = random_array("depth")
    half = np.array([[row[::2] for row in frame[::2]] for frame in whole.transpose(2, 0, 1)])
    found = read_depth(write_mat(tmp_path / "whole", "a1_s1_t1", "depth", whole))
    again = read_depth(write_mat(tmp_path / "half", "a1_s1_t1", "depth", half.transpose(1, 2, 0)))
    assert found.dtype == np.int16
    assert np.array_equal(found, half.transpose(1, 2, 0)) and np.array_equal(found, again)


def refused(modality: str, path: Path, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        READERS[modality](path)
    assert str(path) in str(error.value)
    assert "; " in str(error.value)  # and what to do


def spoilt(modality: str, value: float) -> np.ndarray:
    array = random_array(modality)
    array[1, 2] = value
    return array


@pytest.mark.parametrize(
    ("modality", "array", "says"),
    [
        ("skeleton", np.zeros((25, 3, 9)), r"d_skel of 20 x 3 x any, found 25 x 3 x 9"),
        ("skeleton", np.zeros((20, 2, 9)), r"d_skel of 20 x 3 x any, found 20 x 2 x 9"),
        ("skeleton", np.zeros((20, 3)), r"d_skel of 20 x 3 x any, found 20 x 3;"),
        ("inertial", np.zeros((9, 9)), r"d_iner of any x 6, found 9 x 9"),
        ("inertial", np.zeros((1, 6)), r"d_iner of any x 6, found 1 x 6"),
        ("inertial", np.zeros((0, 6)), r"d_iner of any x 6, found 0 x 6"),
        ("depth", np.zeros((240, 240, 9)), r"d_depth of 240 x 320 x any or 120 x 160 x any"),
        ("skeleton", spoilt("skeleton", np.nan), "expected finite numbers in d_skel, found NaN"),
        ("inertial", spoilt("inertial", np.inf), "expected finite numbers in d_iner, found NaN"),
        ("inertial", spoilt("inertial", 1e9), "one beyond 1000000"),
        ("depth", np.full((120, 160, 3), 40_000, np.uint16), "millimeters from 0 to 32767"),
        ("depth", np.full((120, 160, 3), -1, np.int16), "found -1 to -1"),
        ("skeleton", np.full((20, 3, 4), {"a": 1}), "full array d_skel of numbers, found object"),
    ],
)
def test_arrays_of_another_kind(modality: str, array: Any, says: str, tmp_path: Path) -> None:
    refused(modality, write_mat(tmp_path, "a1_s1_t1", modality, array), says)


@pytest.mark.parametrize("modality", READERS)
def test_an_array_under_another_name(modality: str, tmp_path: Path) -> None:
    path = write_mat(tmp_path, "a1_s1_t1", modality, key="joints")
    refused(modality, path, r"expected the array d_\w+, found joints; fetch")


@pytest.mark.parametrize("content", [b"", b"a text, no MATLAB file" * 20, b"MATLAB 5.0 MAT-file"])
def test_files_that_are_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    path.write_bytes(content)
    refused("skeleton", path, "expected a MATLAB 5 file, found none, or damage")


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    path = write_mat(tmp_path, "a1_s1_t1", "inertial")
    path.write_bytes(path.read_bytes()[:-100])
    refused("inertial", path, "expected a MATLAB 5 file, found none, or damage")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused("depth", tmp_path / "a1_s1_t1_depth.mat", "expected a readable file")


def test_version_7_3(tmp_path: Path) -> None:
    """An HDF5 file behind MATLAB's own header of 512 bytes."""
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["d_skel"] = np.zeros((4, 3, 20))
    content = path.read_bytes()
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64"
    path.write_bytes(header.ljust(512) + content[512:])
    refused("skeleton", path, r"found version 7.3 \(HDF5\); save it again with MATLAB's save -v7")


def test_plain_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    with h5py.File(path, "w") as file:
        file["d_skel"] = np.zeros((4, 3, 20))
    refused("skeleton", path, r"found version 7.3 \(HDF5\); save it again")


def test_a_sparse_array(tmp_path: Path) -> None:
    path = tmp_path / "a1_s1_t1_inertial.mat"
    savemat(path, {"d_iner": csc_matrix(np.ones((9, 6)))})
    refused("inertial", path, "expected a full array d_iner of numbers, found a sparse array")


def test_depth_in_metres(tmp_path: Path) -> None:
    meters = np.full((120, 160, 3), 2.345)
    path = write_mat(tmp_path, "a1_s1_t1", "depth", meters)
    refused("depth", path, r"expected whole millimeters, found fractions, .* largest is 2.345\)")
    whole = write_mat(tmp_path / "whole", "a1_s1_t1", "depth", np.full((120, 160, 3), 2345.0))
    assert (read_depth(whole) == 2345).all()


def test_a_file_with_more_than_its_array(tmp_path: Path) -> None:
    path = tmp_path / "a1_s1_t1_inertial.mat"
    savemat(path, {"note": "worn on the right wrist", "d_iner": random_array("inertial")})
    assert read_inertial(path).shape == (6, 6)
