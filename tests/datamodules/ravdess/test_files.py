import shutil
from pathlib import Path

import pytest

from datamodules.packed.errors import DataError
from datamodules.ravdess.files import find_ravdess_files

SPEECH = "01-01-03-01-01-01-05"


def touch(path: Path, size: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_the_published_layout(tmp_path: Path) -> None:
    video = touch(tmp_path / "Video_Speech_Actor_05" / "Actor_05" / f"{SPEECH}.mp4")
    landmarks = touch(tmp_path / "FacialTracking_Actors_01-24" / f"{SPEECH}.csv")
    sound = touch(tmp_path / "Actor_05" / f"03{SPEECH[2:]}.wav")
    found = find_ravdess_files(tmp_path)
    assert found.video == {SPEECH: video}
    assert found.tracking == {SPEECH: landmarks}
    assert found.sound == {SPEECH: sound}
    assert found.names[SPEECH].emotion == 3
    assert not found.warnings
    assert not found.ignored


def test_song_and_video_only_are_ignored_and_counted(tmp_path: Path) -> None:
    touch(tmp_path / f"{SPEECH}.mp4")
    touch(tmp_path / f"02{SPEECH[2:]}.mp4")
    touch(tmp_path / "01-02-03-01-01-01-05.mp4")
    touch(tmp_path / "03-02-03-01-01-01-05.wav")
    touch(tmp_path / "README.txt")
    found = find_ravdess_files(tmp_path)
    assert list(found.video) == [SPEECH]
    assert found.ignored == {"song (..-02-..)": 2, ".mp4 named as video without sound (02-..)": 1}
    assert found.unused == "1 .mp4 named as video without sound (02-..), 2 song (..-02-..)"
    assert list(found.names) == [SPEECH]


def test_other_names_are_left_out_with_a_warning(tmp_path: Path) -> None:
    touch(tmp_path / f"{SPEECH}.mp4")
    for number in range(7):
        touch(tmp_path / "extra" / f"holiday{number}.mp4")
    (warning,) = find_ravdess_files(tmp_path).warnings
    assert "extra/holiday0.mp4" in warning
    assert "and 2 more: not named by the RAVDESS scheme" in warning


def test_a_known_other_file_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path / f"{SPEECH}.mp4")
    table = touch(tmp_path / "action_units.csv")
    assert not find_ravdess_files(tmp_path, skip=table).warnings


def test_copies_are_left_out_with_a_warning(tmp_path: Path) -> None:
    first = touch(tmp_path / "a" / f"{SPEECH}.mp4")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found = find_ravdess_files(tmp_path)
    assert found.video == {SPEECH: first}
    assert "a second copy" in found.warnings[0]


def test_two_different_files_of_one_recording(tmp_path: Path) -> None:
    touch(tmp_path / "a" / f"{SPEECH}.mp4", 3)
    touch(tmp_path / "b" / f"{SPEECH}.mp4", 4)
    with pytest.raises(DataError, match=f"one recording of {SPEECH}, found another one"):
        find_ravdess_files(tmp_path)


def test_wav_and_flac_of_one_recording(tmp_path: Path) -> None:
    touch(tmp_path / f"03{SPEECH[2:]}.wav")
    touch(tmp_path / f"03{SPEECH[2:]}.flac")
    with pytest.raises(DataError, match="move one of them out of the raw folder"):
        find_ravdess_files(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such folder"):
        find_ravdess_files(tmp_path / "nowhere")
    (tmp_path / "README.md").touch()
    with pytest.raises(DataError, match="found a file"):
        find_ravdess_files(tmp_path / "README.md")
    with pytest.raises(DataError, match=r"expected RAVDESS speech files .* found none; give the"):
        find_ravdess_files(tmp_path)
    touch(tmp_path / "02-01-03-01-01-01-05.mp4")
    with pytest.raises(DataError, match=r"found 1 \.mp4 named as video without sound \(02-"):
        find_ravdess_files(tmp_path)
    touch(tmp_path / "holiday.mp4")
    touch(tmp_path / "Audio_Speech.zip")
    with pytest.raises(DataError, match=r"and 1 with names such as holiday\.mp4; unpack Audio_Sp"):
        find_ravdess_files(tmp_path)


def test_sound_taken_out_of_the_videos(tmp_path: Path) -> None:
    """`01-01-*.wav` is the sound of its clip; a recording of its own is another file."""
    taken = touch(tmp_path / f"{SPEECH}.wav", 5)
    own = touch(tmp_path / f"03{SPEECH[2:]}.wav", 9)
    found = find_ravdess_files(tmp_path)
    assert (found.soundtrack, found.sound) == ({SPEECH: taken}, {SPEECH: own})
    assert not found.ignored


def test_what_is_not_used_is_called_what_it_is(tmp_path: Path) -> None:
    touch(tmp_path / f"{SPEECH}.mp4")
    touch(tmp_path / f"{SPEECH}.avi")  # OpenFace's drawing
    touch(tmp_path / f"03{SPEECH[2:]}.mp3")
    touch(tmp_path / f"02{SPEECH[2:]}.csv")
    assert find_ravdess_files(tmp_path).ignored == {
        ".avi named as video with sound (01-..)": 1,
        ".mp3 named as sound alone (03-..)": 1,
        ".csv named as video without sound (02-..)": 1,
    }
