import csv
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from datamodules.formats.openface import ACTION_UNITS, Tracking
from datamodules.formats.ravdess_name import ClipName
from datamodules.formats.video import read_frames
from datamodules.packed.errors import DataError
from datamodules.ravdess import clip as clips
from datamodules.ravdess.clip import Clip, PrepareClip
from datamodules.ravdess.mfcc import mfcc
from datamodules.ravdess.prepare import prepare_ravdess
from datamodules.ravdess.sample.recording import write_mp4
from tests.sample_data import REAL_DATA, SETTINGS, needs_real_data

Rows = list[dict[str, str]]


def clip_id(emotion: int, repetition: int = 1) -> str:
    return ClipName(1, 1, emotion, 1, 1, repetition, 1).id


def prepare(raw: Path, out: Path, **options: Any) -> tuple[Path, dict[str, Any]]:
    prepare_ravdess(raw, out, protocol="paper", settings=SETTINGS, workers=1, **options)
    return out, json.loads((out / "manifest.json").read_text())


def rewrite(path: Path, change: Callable[[Rows], Rows]) -> None:
    with path.open() as file:
        rows = change(list(csv.DictReader(file, skipinitialspace=True)))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def every(**values: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row | values for row in rows]


@pytest.fixture(scope="module")
def damaged(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Fourteen clips of one actor, most of them broken in a way of their own, prepared."""
    folder = tmp_path_factory.mktemp("damaged") / "raw"
    folder.mkdir()
    for name in [clip_id(emotion, repetition) for emotion in range(1, 8) for repetition in (1, 2)]:
        for suffix in (".mp4", ".csv"):
            shutil.copy(raw / "Actor_01" / (name + suffix), folder)
    file = {(e, r): folder / clip_id(e, r) for e in range(1, 8) for r in (1, 2)}

    truncated = file[1, 2].with_suffix(".mp4")
    truncated.write_bytes(truncated.read_bytes()[:9000])
    silent = file[2, 1].with_suffix(".mp4")
    write_mp4(silent, read_frames(silent, range(24)), 8, np.zeros(0, np.float32), 48000)
    rewrite(
        file[2, 2].with_suffix(".csv"),
        lambda rows: [{k: v for k, v in row.items() if k != "x_5"} for row in rows],
    )
    rewrite(file[3, 1].with_suffix(".csv"), every(x_7="nan"))
    rewrite(
        file[3, 2].with_suffix(".csv"),
        lambda rows: [r | {"confidence": "0"} if i in (10, 12) else r for i, r in enumerate(rows)],
    )
    rewrite(file[4, 1].with_suffix(".csv"), every(**{f"x_{i}": "900" for i in range(68)}))
    file[4, 2].with_suffix(".csv").unlink()
    rewrite(file[5, 1].with_suffix(".csv"), lambda rows: rows[:-2])
    rewrite(file[5, 2].with_suffix(".csv"), lambda rows: rows[:-10])
    flat = {f"{axis}_{i}": "40" for axis in "xy" for i in range(68)}
    rewrite(file[6, 1].with_suffix(".csv"), every(**flat))
    file[6, 2].with_suffix(".mp4").unlink()
    short = file[7, 1].with_suffix(".mp4")
    write_mp4(short, read_frames(short, range(3)), 8, np.zeros(96000, np.float32), 48000)
    shutil.copy(truncated, folder / "holiday.mp4")
    shutil.copy(truncated, folder / f"02{clip_id(8)[2:]}.mp4")
    return prepare(folder, folder.with_name("out"))


def test_sound_clips_are_packed(damaged: tuple[Path, dict[str, Any]]) -> None:
    with (damaged[0] / "index.csv").open() as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert ids == [clip_id(1, 1), clip_id(3, 2), clip_id(5, 1), clip_id(7, 2)]


@pytest.mark.parametrize(
    ("emotion", "repetition", "reason"),
    [
        (1, 2, "bytes, as the file itself states, found 9000: it is cut off; fetch it again"),
        (2, 1, "mp4: expected a sound track, found none"),
        (2, 2, "csv: expected OpenFace's columns"),
        (3, 1, "csv: expected a face inside the 160x90 picture, found 0 tracked frames"),
        (4, 1, "landmarks have to be in pixels of this very video"),
        (4, 2, "no OpenFace csv"),
        (5, 2, "expected rows for the 24 frames of its video, found frames up to 14"),
        (6, 1, "each with an empty box or one outside"),
        (6, 2, "no video"),
        (7, 1, "expected at least 4 frames, found 3"),
    ],
)
def test_broken_clips_are_dropped_with_their_reason(
    damaged: tuple[Path, dict[str, Any]], emotion: int, repetition: int, reason: str
) -> None:
    dropped = damaged[1]["dropped"]
    assert len(dropped) == 10
    assert reason in dropped[clip_id(emotion, repetition)]


def test_manifest_has_counts_and_warnings_and_no_paths(
    damaged: tuple[Path, dict[str, Any]],
) -> None:
    out, manifest = damaged
    assert manifest["counts"]["ignored"] == 1
    assert manifest["counts"]["borrowed_face"] >= 1
    assert any("holiday.mp4" in warning for warning in manifest["warnings"])
    assert f"{clip_id(5, 1)}: landmarks for 22 frames, video with 24" in manifest["warnings"]
    assert str(out.parent) not in json.dumps(manifest)


def test_provenance_follows_the_raw_folder(
    damaged: tuple[Path, dict[str, Any]], packed: Path
) -> None:
    assert damaged[1]["provenance"] == "real"
    manifest = json.loads((packed / "manifest.json").read_text())
    assert manifest["provenance"] == "sample"
    assert manifest["source"]["rendered"]["actors"] == [1, 2, 3, 4]


def test_packed_arrays(packed: Path) -> None:
    video, audio = np.load(packed / "video.npy"), np.load(packed / "audio.npy")
    units = np.load(packed / "action_units.npy")
    assert (video.shape, video.dtype) == ((128, 4, 24, 24, 3), np.uint8)
    assert (audio.shape, audio.dtype) == ((128, 13, 212), np.float32)
    assert (units.shape, units.dtype) == ((128, 35), np.float32)
    assert np.isfinite(audio).all()
    assert video.std((1, 2, 3)).min() > 1


def test_other_sources_of_sound_and_action_units(raw: Path, tmp_path: Path) -> None:
    """Three videos without landmarks, separate sound for one of them, a table for two."""
    source = tmp_path / "raw"
    source.mkdir()
    names = [clip_id(1), clip_id(2), clip_id(3)]
    for name in names:
        shutil.copy(raw / "Actor_01" / f"{name}.mp4", source)
    tone = np.sin(np.arange(2 * 44100) / 20).astype(np.float32)
    soundfile.write(source / f"03{names[0][2:]}.wav", np.stack([tone, tone], 1), 44100, "FLOAT")
    values = [str(i / 10) for i in range(35)]
    rows = [["clip", *ACTION_UNITS], [names[1], *values], [names[0], *values]]
    table = source / "units.csv"
    table.write_text("\n".join(",".join(row) for row in rows))
    out, manifest = prepare(source, tmp_path / "out", action_units=table)

    assert list(manifest["modalities"]) == ["action_units", "audio"]
    assert "3 videos but no landmark csv" in manifest["warnings"][0]
    assert manifest["dropped"] == {names[2]: "no row in the table of action units"}
    assert np.allclose(np.load(out / "action_units.npy"), np.arange(35) / 10)
    assert manifest["source"]["files"] == 3
    assert manifest["counts"]["padded"] == manifest["counts"]["stereo"] == 1
    expected = np.zeros(108045, np.float32)
    expected[: 88200 - 22050] = tone[22050:]
    settings = {"sample_rate": 44100, "n_mfcc": 13, "n_fft": 2048, "hop_length": 512}
    settings |= {"front_end": "librosa"}
    assert np.abs(np.load(out / "audio.npy")[0] - mfcc(expected, **settings)).max() < 0.01


def test_frames_and_faces_are_chosen_by_the_settings(raw: Path) -> None:
    file = raw / "Actor_01" / clip_id(3)
    clip = Clip(file.with_suffix(".mp4"), file.with_suffix(".csv"), None, None)

    def crops(**settings: Any) -> np.ndarray:
        work = PrepareClip(raw, replace(SETTINGS, **settings), ("video",))
        return work(clip).arrays["video"].astype(float)

    paper, spread = crops(), crops(frame_choice="spread")
    squeezed = crops(face_source="squeezed")
    assert paper.shape == spread.shape == squeezed.shape == (4, 24, 24, 3)
    assert np.abs(paper - spread).mean() > 1
    # enlarged from fewer pixels: the same face with less detail
    assert np.abs(np.diff(squeezed, axis=2)).mean() < 0.9 * np.abs(np.diff(paper, axis=2)).mean()
    assert np.corrcoef(squeezed.ravel(), paper.ravel())[0, 1] > 0.8


def test_landmarks_alone_give_action_units(raw: Path, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.mkdir()
    shutil.copy(raw / "Actor_01" / f"{clip_id(3)}.csv", source)
    out, manifest = prepare(source, tmp_path / "out")
    assert list(manifest["modalities"]) == ["action_units"]
    with (source / f"{clip_id(3)}.csv").open() as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    seen = [[float(row[name]) for name in ACTION_UNITS] for row in rows if float(row["success"])]
    assert np.allclose(np.load(out / "action_units.npy")[0], np.mean(seen, 0), atol=1e-5)


def test_nothing_that_can_be_packed(tmp_path: Path) -> None:
    (tmp_path / f"{clip_id(1)}.csv").write_text("frame, x_0\n1, 2\n")
    with pytest.raises(DataError, match="found nothing that can be packed"):
        prepare_ravdess(tmp_path, tmp_path / "out", protocol="paper", settings=SETTINGS)


@pytest.mark.real
@needs_real_data
def test_real_clip_without_landmarks(tmp_path: Path) -> None:
    _, manifest = prepare(REAL_DATA / "ravdess_clip", tmp_path / "out")
    assert manifest["modalities"].keys() == {"audio"}
    assert "1 videos but no landmark csv" in manifest["warnings"][0]
    assert manifest["provenance"] == "real"


@pytest.mark.real
@needs_real_data
def test_real_recordings_of_one_actor(tmp_path: Path) -> None:
    out, manifest = prepare(
        REAL_DATA / "ravdess_speech" / "Actor_19",
        tmp_path / "out",
        action_units=REAL_DATA / "ravdess_action_units.csv",
    )
    assert manifest["counts"]["packed"] == 60
    assert manifest["modalities"]["audio"]["shape"] == [60, 13, 212]
    assert manifest["modalities"]["action_units"]["shape"] == [60, 35]
    assert np.load(out / "audio.npy").std() > 1


def tracked(raw: Path, folder: Path, emotions: Sequence[int]) -> list[Path]:
    """The csvs of some clips, which are left to the test to change."""
    folder.mkdir()
    return [
        Path(shutil.copy(raw / "Actor_01" / f"{clip_id(emotion)}.csv", folder))
        for emotion in emotions
    ]


def without(prefix: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{k: v for k, v in r.items() if not k.startswith(prefix)} for r in rows]


def test_the_first_file_does_not_decide_for_all(raw: Path, tmp_path: Path) -> None:
    first, *_ = tracked(raw, tmp_path / "raw", (1, 2, 3, 4))
    rewrite(first, without("AU"))
    out, manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert np.load(out / "action_units.npy").shape == (3, 35)
    assert list(manifest["dropped"]) == [clip_id(1)]
    assert "without AU01_r" in manifest["dropped"][clip_id(1)]
    assert "3 of 4 OpenFace csvs have action units" in manifest["warnings"]


def test_columns_that_most_files_lack_are_not_packed(raw: Path, tmp_path: Path) -> None:
    _, *others = tracked(raw, tmp_path / "raw", (1, 2, 3, 4))
    for path in others:
        rewrite(path, without("AU"))
    for emotion in (1, 2, 3, 4):
        shutil.copy(raw / "Actor_01" / f"{clip_id(emotion)}.mp4", tmp_path / "raw")
    _, manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert set(manifest["modalities"]) == {"video", "audio"}
    assert manifest["counts"]["packed"] == 4
    assert "1 of 4 OpenFace csvs have action units, so they are not used" in manifest["warnings"]


def test_videos_whose_csvs_have_no_landmarks(raw: Path, tmp_path: Path) -> None:
    """As `FeatureExtraction -aus` tracks them: sound and action units are left."""
    for path in tracked(raw, tmp_path / "raw", (1, 2)):
        shutil.copy(raw / "Actor_01" / f"{path.stem}.mp4", tmp_path / "raw")
        rewrite(path, lambda rows: without("y_")(without("x_")(rows)))
    _, manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert set(manifest["modalities"]) == {"audio", "action_units"}
    assert manifest["counts"]["packed"] == 2
    assert "2 videos, but 2 of 2 csvs have no landmarks" in manifest["warnings"][0]


@pytest.mark.parametrize("damage", ["byte", "utf-16", "empty", "folder"])
def test_one_bad_file_is_named_and_the_rest_goes_on(damage: str, raw: Path, tmp_path: Path) -> None:
    bad, *_ = tracked(raw, tmp_path / "raw", (1, 2, 3))
    content = bad.read_bytes()
    if damage == "byte":
        bad.write_bytes(content[:3000] + b"\xff" + content[3001:])
    elif damage == "utf-16":
        bad.write_bytes(content.decode().encode("utf-16"))
    else:
        bad.write_bytes(b"" if damage == "empty" else content[:20])
    _, manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert manifest["counts"]["packed"] == 2
    assert list(manifest["dropped"]) == [clip_id(1)]
    assert manifest["dropped"][clip_id(1)].startswith(bad.name)


def test_damage_that_no_reader_knows(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = tracked(raw, tmp_path / "raw", (1, 2))
    read = clips.read_tracking

    def stumble(path: Path, **parts: bool) -> Tracking:
        if path == bad:
            raise IndexError("of some library")
        return read(path, **parts)

    monkeypatch.setattr(clips, "read_tracking", stumble)
    work = PrepareClip(tmp_path / "raw", SETTINGS, ("action_units",))
    assert set(work(Clip(None, good, None, None)).arrays) == {"action_units"}
    message = rf"^{bad.name}: expected a file that can be read, found damage \(IndexError: of some"
    with pytest.raises(DataError, match=message):
        work(Clip(None, bad, None, None))


def test_sound_taken_out_of_the_videos_is_used(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    low, high = (np.sin(np.arange(3 * 44100) / step).astype(np.float32) for step in (20, 5))
    soundfile.write(tmp_path / "raw" / f"{clip_id(1)}.wav", low, 44100, "FLOAT")
    soundfile.write(tmp_path / "raw" / f"{clip_id(2)}.wav", low, 44100, "FLOAT")
    soundfile.write(tmp_path / "raw" / f"03{clip_id(2)[2:]}.wav", high, 44100, "FLOAT")
    out, manifest = prepare(tmp_path / "raw", tmp_path / "out")
    assert manifest["counts"]["packed"] == 2
    settings = {"sample_rate": 44100, "n_mfcc": 13, "n_fft": 2048, "hop_length": 512}
    settings |= {"front_end": "librosa"}
    for found, sound in zip(np.load(out / "audio.npy"), (low, high), strict=True):
        assert np.abs(found - mfcc(sound[22050 : 22050 + 108045], **settings)).max() < 0.01


def test_tables_in_other_encodings(raw: Path, tmp_path: Path) -> None:
    tracked(raw, tmp_path / "raw", (1, 2))
    lines = [["clip", *ACTION_UNITS]]
    lines += [[f"openface/{clip_id(e)}.csv", *[str(e + i / 8) for i in range(35)]] for e in (1, 2)]
    table = tmp_path / "units.csv"
    table.write_bytes("\n".join(";".join(line) for line in lines).encode("utf-16"))
    out, _ = prepare(tmp_path / "raw", tmp_path / "out", action_units=table)
    expected = np.array([[1], [2]]) + np.arange(35) / 8
    assert np.array_equal(np.load(out / "action_units.npy"), expected.astype(np.float32))
