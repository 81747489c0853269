"""What is said of folders with the files of each way into CMU-MOSEI, whole and damaged."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from datamodules.mosei.holdings import look_at_mosei
from datamodules.packed.holding import Holding
from tests.datamodules.mosei.files import frames, labels, mmsa, words, write_csd

NAMES = {
    "CMU_MOSEI_Labels": "CMU_MOSEI_Labels",
    "CMU_MOSEI_TimestampedWords": "words",
    "CMU_MOSEI_VisualFacet42": "FACET 4.2",
    "CMU_MOSEI_COVAREP": "COVAREP",
}
FOLDS = {"train": ["v"], "valid": ["w"], "test": ["x"]}


def held(raw: Path) -> dict[str, tuple[str, str, bool]]:
    return {one.name: (one.state, one.detail, one.needed) for one in look_at_mosei(raw)}


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    times = np.linspace(0, 2, 21)
    content = {
        "CMU_MOSEI_Labels": labels([[0, 2]], [1.0]),
        "CMU_MOSEI_TimestampedWords": words(("good", 0.0, 1.0), ("day", 1.0, 2.0)),
        "CMU_MOSEI_VisualFacet42": frames(times, 35),
        "CMU_MOSEI_COVAREP": frames(times, 74),
    }
    for name, sequence in content.items():
        write_csd(tmp_path / f"{name}.csd", NAMES[name], dict.fromkeys("vwx", sequence))
    (tmp_path / "folds.json").write_text(json.dumps(FOLDS))
    return tmp_path


def test_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        (found,) = look_at_mosei(folder)
        assert (found.state, found.needed) == ("missing", True)


def test_the_files_of_the_sdk(sdk: Path) -> None:
    found = held(sdk)
    assert list(found) == [*(f"{name}.csd" for name in NAMES), "folds"]
    for name in NAMES:
        assert found[f"{name}.csd"] == ("complete", "3 videos", False)
    assert found["folds"][1] == "folds.json, 3 videos, not the standard ones (3227)"


def test_files_of_the_sdk_that_are_missing(sdk: Path) -> None:
    (sdk / "CMU_MOSEI_TimestampedWords.csd").unlink()
    (sdk / "folds.json").unlink()
    found = held(sdk)
    words_ = found["CMU_MOSEI_TimestampedWords.csd"]
    assert words_ == ("missing", "protocol=paper needs it", False)
    assert found["folds"][::2] == ("missing", True)
    for path in sdk.glob("*.csd"):
        if "Labels" not in path.name:
            path.unlink()
    assert held(sdk)["CMU_MOSEI_COVAREP.csd"] == ("missing", "ask for it", True)


def test_files_of_the_sdk_that_are_damaged(sdk: Path) -> None:
    cut = sdk / "CMU_MOSEI_COVAREP.csd"
    cut.write_bytes(cut.read_bytes()[:3000])
    (sdk / "CMU_MOSEI_Labels.csd").write_text("<html>")
    (sdk / "folds.json").write_text("{}")
    found = held(sdk)
    assert found["CMU_MOSEI_COVAREP.csd"][0] == found["CMU_MOSEI_Labels.csd"][0] == "wrong"
    assert "cut off or damaged" in found["CMU_MOSEI_COVAREP.csd"][1]
    assert "expected HDF5, found 6 bytes" in found["CMU_MOSEI_Labels.csd"][1]
    assert found["folds"][0] == "wrong"
    assert found["CMU_MOSEI_VisualFacet42.csd"] == ("complete", "3 videos", False)


def test_files_of_the_sdk_that_do_not_fit(sdk: Path) -> None:
    times = np.array([0.0, 1.0])
    fewer = {"v": frames(times, 35)}
    write_csd(sdk / "CMU_MOSEI_VisualFacet42.csd", "FACET 4.2", fewer)
    write_csd(sdk / "CMU_MOSEI_COVAREP.csd", "COVAREP", {"v": frames(times, 70)})
    write_csd(sdk / "glove.csd", "glove_vectors", {"v": frames(times, 300)})
    write_csd(sdk / "words2.csd", "words", {"v": words(("good", 0.0, 1.0))})
    found = held(sdk)
    faces = found["CMU_MOSEI_VisualFacet42.csd"]
    assert faces[:2] == (
        "partial",
        "1 videos; 2 labelled videos are not in it, such as w",
    )
    assert "expected 74 columns of audio, found 70" in found["CMU_MOSEI_COVAREP.csd"][1]
    assert found["glove.csd"][1].startswith("glove_vectors is none of the four")
    assert found["words2.csd"][0] == "wrong"
    assert "keep one of them" in found["words2.csd"][1]


def test_a_table_and_a_pickle(tmp_path: Path) -> None:
    table = tmp_path / "label.csv"
    table.write_text("video_id,clip_id,text,label,mode\nv,1,good day,2,train\n")
    assert held(tmp_path) == {"label.csv": ("complete", "1 texts with labels", False)}
    table.write_text("video_id,clip_id,text,label\nv,1,good day,2\n")
    assert held(tmp_path)["label.csv"][1].endswith("it has no column mode, so give folds=<file>")
    table.write_text("video_id,clip_id,text,label\nv,1,good day,many\n")
    assert held(tmp_path)["label.csv"][0] == "wrong"
    table.unlink()
    path = tmp_path / "aligned_50.pkl"
    path.write_bytes(pickle.dumps(mmsa()))
    (found,) = look_at_mosei(tmp_path)
    assert found == Holding("aligned_50.pkl", "complete", "4 train, 4 valid, 4 test")
    path.write_bytes(path.read_bytes()[:500])
    assert held(tmp_path)["aligned_50.pkl"][0] == "wrong"
