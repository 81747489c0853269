from pathlib import Path

import pytest

from datamodules.ntu.files import find_ntu_files, read_missing_skeletons
from datamodules.packed.errors import DataError
from tests.sample_data import REAL_DATA, needs_real_data

NAME = "S001C002P003R002A013"


def touch(path: Path, size: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_the_published_layout(tmp_path: Path) -> None:
    video = touch(tmp_path / "nturgb+d_rgb" / f"{NAME}_rgb.avi")
    skeleton = touch(tmp_path / "nturgb+d_skeletons" / f"{NAME}.skeleton")
    touch(tmp_path / "README.txt")
    found = find_ntu_files(tmp_path)
    assert found.video == {NAME: video}
    assert found.skeleton == {NAME: skeleton}
    assert found.names[NAME].action == 13
    assert not found.warnings


def test_other_names_and_other_data_sets_are_left_out_with_a_warning(tmp_path: Path) -> None:
    touch(tmp_path / f"{NAME}.skeleton")
    touch(tmp_path / "S018C001P041R001A061.skeleton")  # of the larger data set
    touch(tmp_path / "holiday.avi")
    found = find_ntu_files(tmp_path)
    assert list(found.names) == [NAME]
    (warning,) = found.warnings
    assert "S018C001P041R001A061.skeleton" in warning
    assert "holiday.avi: outside NTU RGB+D's names, 40 subjects or 60 actions" in warning


def test_copies(tmp_path: Path) -> None:
    first = touch(tmp_path / "a" / f"{NAME}.skeleton")
    touch(tmp_path / "b" / f"{NAME}.skeleton")
    found = find_ntu_files(tmp_path)
    assert found.skeleton == {NAME: first}
    assert "a second copy" in found.warnings[0]
    touch(tmp_path / "b" / f"{NAME}.skeleton", 4)
    with pytest.raises(DataError, match=f"one recording of {NAME}, found another one"):
        find_ntu_files(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such folder"):
        find_ntu_files(tmp_path / "nowhere")
    touch(tmp_path / "holiday.avi")
    with pytest.raises(DataError, match="found 1 avi and skeleton files with other names"):
        find_ntu_files(tmp_path)


def test_list_of_missing_skeletons(tmp_path: Path) -> None:
    path = tmp_path / "missing.txt"
    path.write_text(f"{NAME}\r\n\r\nS001C002P005R002A008.skeleton\n")
    assert read_missing_skeletons(path) == {NAME, "S001C002P005R002A008"}
    path.write_text(f"{NAME}\n\nskeletons\n")
    with pytest.raises(DataError, match=r"missing\.txt, line 3: .*expected an NTU RGB\+D name"):
        read_missing_skeletons(path)
    with pytest.raises(DataError, match="found no such file"):
        read_missing_skeletons(tmp_path / "none.txt")


@pytest.mark.real
@needs_real_data
def test_the_known_list() -> None:
    assert len(read_missing_skeletons(REAL_DATA / "ntu" / "missing_skeletons.txt")) == 302
