import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from datamodules.formats.csd import CsdFile
from datamodules.packed.errors import DataError
from tests.datamodules.mosei.files import frames, write_csd

TIMES = np.arange(0, 3, 0.5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three videos; the names' order is not that of writing."""
    sequences = {video: frames(TIMES, 4, seed) for seed, video in enumerate(("zz", "-a", "255"))}
    return write_csd(tmp_path / "a.csd", "COAVAREP", sequences, version=1.0)


def change(path: Path, name: str, value: object) -> Path:
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value
    return path


def read_everything(path: Path) -> None:
    with CsdFile(path) as csd:
        for video in csd.videos:
            csd.intervals(video)
            csd.features(video)


def test_root_metadata_and_videos_are_discovered(file: Path) -> None:
    with CsdFile(file) as csd:
        assert csd.root == "COAVAREP"
        assert csd.metadata == {"root name": "COAVAREP", "version": 1.0}
        assert csd.videos == ["-a", "255", "zz"]
        assert csd.columns == 4
        assert "255" in csd
        assert "25" not in csd


def test_rows_are_read_as_they_stand(file: Path) -> None:
    intervals, features = frames(TIMES, 4, 1)
    with CsdFile(file) as csd:
        assert np.array_equal(csd.intervals("-a"), intervals)
        assert np.array_equal(csd.features("-a"), features)
        chosen = csd.features("-a", np.array([3, 1, 1]))
        assert np.array_equal(chosen, features[[3, 1, 1]])
        assert csd.features("-a", np.zeros(0, np.int64)).shape == (0, 4)


def test_pieces_of_a_video_are_joined(tmp_path: Path) -> None:
    pieces = {f"v[{i}]": frames(TIMES + 10 * i, 2, i) for i in range(2)}
    with CsdFile(write_csd(tmp_path / "a.csd", "words", pieces)) as csd:
        assert csd.videos == ["v"]
        joined = np.concatenate([features for _, features in pieces.values()])
        assert np.array_equal(csd.features("v"), joined)
        assert np.array_equal(csd.features("v", np.array([7, 2])), joined[[7, 2]])
        assert csd.intervals("v")[-1].tolist() == [12, 12.5] != csd.intervals("v")[4].tolist()


def test_metadata_that_is_no_text_is_left_out(file: Path) -> None:
    with h5py.File(file, "r+") as raw:
        raw["COAVAREP/metadata/notes"] = [3]
        raw["COAVAREP/metadata/nothing"] = np.zeros(0)
    with CsdFile(file) as csd:
        assert csd.metadata == {"root name": "COAVAREP", "version": 1.0}


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csd: expected a \.csd file, found no such file"):
        CsdFile(tmp_path / "a.csd")


def test_not_hdf5(tmp_path: Path) -> None:
    page = tmp_path / "a.csd"
    page.write_text("<html>502 Bad Gateway</html>")
    with pytest.raises(DataError, match=r"a\.csd: expected HDF5, found 28 bytes of something else"):
        CsdFile(page)


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_cut_off(file: Path, share: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"a\.csd: expected a whole HDF5 file, .*cut off"):
        CsdFile(file)


@pytest.mark.parametrize("name", ["COAVAREP/metadata", "COAVAREP/metadata/root name"])
def test_without_metadata(file: Path, name: str) -> None:
    with CsdFile(change(file, name, None)) as csd:
        assert "root name" not in csd.metadata
        assert csd.videos == ["-a", "255", "zz"]


@pytest.mark.parametrize("name", ["a name", b"a name", ["a name"]])
def test_metadata_in_plain_text(file: Path, name: object) -> None:
    """The SDK takes a field that is no JSON as it stands."""
    with CsdFile(change(file, "COAVAREP/metadata/root name", name)) as csd:
        assert csd.metadata == {"root name": "a name", "version": 1.0}


def test_without_data(file: Path) -> None:
    with pytest.raises(DataError, match="expected COAVAREP/data, as in"):
        CsdFile(change(shutil.copy(file, file.with_name("b.csd")), "COAVAREP/data", None))
    with h5py.File(change(file, "COAVAREP/data", None), "r+") as raw:
        raw.create_group("COAVAREP/data")
    with pytest.raises(DataError, match="expected videos in COAVAREP/data, found none"):
        CsdFile(file)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("features", np.zeros((4, 4)), "5 intervals and 4 rows of features"),
        ("features", np.zeros(5), r"found \(5, 2\) and \(5,\)"),
        ("intervals", np.zeros((5, 3)), r"found \(5, 3\) and \(5, 4\)"),
        (
            "features",
            np.zeros((5, 3)),
            "expected 4 columns in 255, as in the other videos, found 3",
        ),
        ("intervals", None, "expected COAVAREP/data/255/intervals"),
        (
            "intervals",
            [[0, 1], [3, 2], [4, 5], [7, 6], [8, 9]],
            r"\[3.0, 2.0\] in row 1 of 255 \(2",
        ),
        ("intervals", [[0, 1], [1, np.nan], [2, 3], [3, 4], [4, 5]], "nan.* in row 1 of 255"),
    ],
)
def test_damaged_video(file: Path, member: str, value: object, message: str) -> None:
    change(file, f"COAVAREP/data/255/{member}", value)
    with pytest.raises(DataError, match=message) as raised:
        read_everything(file)
    assert str(raised.value).startswith(f"{file}: expected")


def outside(path: Path) -> Path:
    """Another file of the user's, of which a data set could be made."""
    other = path.with_name("private.bin")
    other.write_bytes(np.arange(24.0).tobytes())
    return other


def external_storage(file: h5py.Group, name: str, other: Path) -> None:
    file.create_dataset(name, (6, 4), "f8", external=[(str(other), 0, 6 * 4 * 8)])


def external_link(file: h5py.Group, name: str, other: Path) -> None:
    with h5py.File(other.with_suffix(".h5"), "w") as target:
        target["x"] = np.zeros((6, 4))
    file[name] = h5py.ExternalLink(str(other.with_suffix(".h5")), "/x")


def virtual(file: h5py.Group, name: str, other: Path) -> None:
    with h5py.File(other.with_suffix(".h5"), "w") as target:
        target["x"] = np.zeros((6, 4))
    layout = h5py.VirtualLayout((6, 4), "f8")
    layout[:] = h5py.VirtualSource(str(other.with_suffix(".h5")), "x", (6, 4))
    file.create_virtual_dataset(name, layout)


def soft_link(file: h5py.Group, name: str, _other: Path) -> None:
    file[name] = h5py.SoftLink("/COAVAREP/data/zz/features")


@pytest.mark.parametrize("make", [external_storage, external_link, virtual, soft_link])
def test_other_files_are_not_read(file: Path, make: Any) -> None:
    name = "COAVAREP/data/-a/features"
    change(file, name, None)
    with h5py.File(file, "r+") as content:
        make(content, name, outside(file))
    with pytest.raises(DataError, match=r"a\.csd: .*(another file of yours)"):
        read_everything(file)


@pytest.mark.parametrize("options", [{}, {"chunks": True}, {"compression": "gzip"}])
def test_a_claim_takes_no_memory(file: Path, options: dict[str, Any]) -> None:
    """As many rows as would take 5 GB; none of them is in the file."""
    with h5py.File(file, "r+") as content:
        for name, columns in (("intervals", 2), ("features", 4)):
            del content[f"COAVAREP/data/-a/{name}"]
            content.create_dataset(f"COAVAREP/data/-a/{name}", (10**8, columns), "f8", **options)
    with pytest.raises(DataError, match=r"a\.csd: .*expected 1600000000 bytes, found \d+ stored"):
        read_everything(file)


def test_what_is_packed_well_is_read(file: Path) -> None:
    """Zeros are as small as deflate can make anything."""
    with h5py.File(file, "r+") as content:
        for name, columns in (("intervals", 2), ("features", 4)):
            del content[f"COAVAREP/data/-a/{name}"]
            content.create_dataset(
                f"COAVAREP/data/-a/{name}",
                data=np.zeros((100_000, columns)),
                compression="gzip",
                compression_opts=9,
            )
    with CsdFile(file) as csd:
        assert not csd.features("-a").any()
