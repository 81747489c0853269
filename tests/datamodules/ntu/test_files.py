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
    assert "holiday.avi: not named like S001C001P001R001A001_rgb.avi or .skeleton, or of" in warning


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
    (tmp_path / "README.md").touch()
    with pytest.raises(DataError, match="found a file"):
        find_ntu_files(tmp_path / "README.md")
    touch(tmp_path / "holiday.avi")
    with pytest.raises(
        DataError, match=r"found 1 videos and skeletons with names such as holiday\.avi; give the"
    ):
        find_ntu_files(tmp_path)


def test_list_of_missing_skeletons(tmp_path: Path) -> None:
    path = tmp_path / "missing.txt"
    path.write_text(f"{NAME}\r\n\r\nS001C002P005R002A008.skeleton\n")
    found = read_missing_skeletons(path)
    assert found.names == {NAME, "S001C002P005R002A008"}
    assert not found.warnings
    path.write_text(f"skeletons\nsuch as {NAME}\n")
    with pytest.raises(DataError, match=r"missing\.txt: expected NTU RGB\+D names .* found none"):
        read_missing_skeletons(path)
    with pytest.raises(DataError, match="found no such file"):
        read_missing_skeletons(tmp_path / "none.txt")


OTHER = "S001C002P005R002A008"


@pytest.mark.parametrize(
    "text",
    [
        f"Two samples are incomplete.\r\nNot {NAME[:-1]}4.\r\n\r\n{NAME}\r\n{OTHER}\r\n",
        f"number,name\n1,{NAME}\n2,{OTHER}\n",
        f"['{NAME}', '{OTHER}']",
        f"S018C001P041R001A061\n{NAME}.skeleton\nS032C003P106R002A120\n{OTHER}_rgb.avi\n",
        f"{NAME} {OTHER}",
    ],
    ids=["heading", "table", "python", "extension", "one line"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_in_other_forms(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(text.encode(encoding))
    found = read_missing_skeletons(path)
    assert found.names == {NAME, OTHER}
    headed = {"Two": "line 1, 2, passed over", "num": "line 1, passed over"}.get(text[:3])
    assert [warning.endswith(headed or "?") for warning in found.warnings] == [True] * bool(headed)


def test_videos_of_other_containers(tmp_path: Path) -> None:
    video = touch(tmp_path / f"{NAME}.mp4")
    assert find_ntu_files(tmp_path).video == {NAME: video}
    touch(tmp_path / "small" / f"{NAME}_rgb.avi", 9)
    with pytest.raises(DataError, match="move one of them out of the raw folder"):
        find_ntu_files(tmp_path)


@pytest.mark.real
@needs_real_data
def test_the_known_list() -> None:
    assert len(read_missing_skeletons(REAL_DATA / "ntu" / "missing_skeletons.txt").names) == 302


def test_a_folder_without_any_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected NTU RGB.D files .* found none"):
        find_ntu_files(tmp_path)
