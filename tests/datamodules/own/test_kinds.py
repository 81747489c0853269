"""What a file is, by its content."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from datamodules.own.kinds import kind_of
from datamodules.packed.errors import DataError
from tests.own_clips import still_clip, tone

GRAY = np.full((48, 64, 3), 128, np.uint8)


def test_media_of_any_name(tmp_path: Path) -> None:
    heard = still_clip(tmp_path / "a.mp4", GRAY, seconds=0.5, sound=tone(0.5))
    silent = still_clip(tmp_path / "b.mkv", GRAY, seconds=0.5)
    soundfile.write(tmp_path / "c.wav", tone(0.5), 16000)
    assert [kind_of(heard), kind_of(silent)] == ["video", "silent video"]
    assert kind_of(tmp_path / "c.wav") == "sound"
    for file, kind in ((heard, "video"), (silent, "silent video")):
        other = file.rename(tmp_path / f"a clip = {kind}")
        assert kind_of(other) == kind


def test_what_is_no_clip(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        cv2.imwrite(str(tmp_path / name), GRAY)
        assert kind_of(tmp_path / name) == "image"
    for name, kind in (("a.txt", "text"), ("a.csv", "table"), ("a.skeleton", "skeleton")):
        (tmp_path / name).write_text("words")
        assert kind_of(tmp_path / name) == kind


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing.mp4: expected a file, found no such file"):
        kind_of(tmp_path / "nothing.mp4")
    with pytest.raises(DataError, match=r"expected a file, found a folder"):
        kind_of(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(DataError, match=r"empty.mp4: .* found an empty one"):
        kind_of(tmp_path / "empty.mp4")
    (tmp_path / "junk.mp4").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DataError, match=r"junk.mp4: expected a video, a sound or a table, found"):
        kind_of(tmp_path / "junk.mp4")
    whole = still_clip(tmp_path / "a.mp4", GRAY, seconds=0.5).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:-200])
    with pytest.raises(DataError, match=r"cut.mp4: expected at least \d+ bytes, .* it is cut off"):
        kind_of(tmp_path / "cut.mp4")
