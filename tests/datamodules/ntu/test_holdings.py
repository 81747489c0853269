"""What is said of a folder with some of NTU RGB+D: the rendered sample, damaged in known ways."""

import shutil
from pathlib import Path

import pytest

from datamodules.ntu import holdings
from datamodules.ntu.holdings import look_at_ntu
from datamodules.packed.holding import Holding


def held(raw: Path) -> dict[str, Holding]:
    return {one.name: one for one in look_at_ntu(raw)}


@pytest.fixture
def some(ntu_raw: Path, tmp_path: Path) -> Path:
    """Three cameras' files of one recording."""
    first = sorted(ntu_raw.rglob("*C001*.skeleton"))[0].stem
    for camera in (1, 2, 3):
        for path in ntu_raw.rglob(f"{first.replace('C001', f'C00{camera}')}*"):
            shutil.copy(path, tmp_path)
    assert len(list(tmp_path.iterdir())) == 6
    return tmp_path


def test_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        (found,) = look_at_ntu(folder)
        assert (found.state, found.needed) == ("missing", True)
    (tmp_path / "nturgbd_rgb_s001.zip").touch()
    assert "unpack nturgbd_rgb_s001.zip there" in held(tmp_path)["samples"].detail


def test_some_samples(some: Path) -> None:
    found = held(some)
    assert "sample" not in found
    for name in ("videos", "skeletons"):
        assert found[name].state == "partial"
        assert found[name].detail.startswith("3 of 56880, 3 looked at; nothing of S0")
        assert "lack a camera" not in found[name].detail
    assert found["samples with both"].detail == "all 3 samples have both files"
    assert found["list of missing skeletons"].state == "missing"
    next(some.glob("*C002*.skeleton")).unlink()
    found = held(some)
    assert "1 recordings lack a camera" in found["skeletons"].detail
    assert found["samples with both"].state == "partial"
    assert found["samples with both"].detail.startswith("1 samples have one file of two")
    for path in some.glob("*.skeleton"):
        path.unlink()
    found = held(some)
    assert (found["skeletons"].state, found["skeletons"].needed) == ("missing", False)
    assert found["samples with both"].detail == "all 3 samples have one file"


def test_files_that_cannot_be_read(some: Path) -> None:
    video, skeleton = next(some.glob("*C001*.avi")), next(some.glob("*C003*.skeleton"))
    video.write_bytes(video.read_bytes()[:3000])
    skeleton.write_text("<html>")
    found = held(some)
    assert found["videos"].state == found["skeletons"].state == "wrong"
    assert f"1 of 3 looked at cannot be used: {video}: expected at least" in found["videos"].detail
    assert str(skeleton) in found["skeletons"].detail


def test_the_list_of_missing_skeletons(some: Path) -> None:
    path = some / "NTU_RGBD_samples_with_missing_skeletons.txt"
    path.write_text("S001C002P005R002A008\n")
    name = "list of missing skeletons"
    assert held(some)[name].state == "partial"
    assert "has 1 samples; give it as missing_skeletons=" in held(some)[name].detail
    numbers = [(a, r, c) for a in range(1, 61) for r in (1, 2) for c in (1, 2, 3)][:302]
    names = (f"S001C{c:03d}P005R{r:03d}A{a:03d}" for a, r, c in numbers)
    path.write_text("\n".join(names))
    assert held(some)[name].state == "complete"
    path.write_text("nothing of it")
    assert held(some)[name].state == "wrong"


def test_all_samples_and_a_sample_that_is_rendered(
    some: Path, ntu_raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "SAMPLES", 3)
    assert held(some)["videos"] == Holding("videos", "complete", "3 of 3, 3 looked at")
    shutil.copy(ntu_raw / "sample.json", some)
    assert held(some)["sample"].detail == "rendered by this project; it is not the data set"


def test_of_many_skeletons_some_are_read(some: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_READ", 2)
    assert "3 of 56880, 2 looked at" in held(some)["skeletons"].detail
