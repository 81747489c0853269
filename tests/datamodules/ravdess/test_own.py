"""Clips of one's own: the data set's own are packed alike, and every awkward one is said."""

import tracemalloc
from itertools import repeat
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import soundfile
import torch

from datamodules.formats.openface import ACTION_UNITS
from datamodules.own.sample import OwnSample
from datamodules.packed.dataset import PackedDataset
from datamodules.packed.errors import DataError
from datamodules.ravdess.clip import RavdessSettings
from datamodules.ravdess.own import RATE, OwnRavdess
from datamodules.ravdess.sample.performance import FPS
from tests.own_clips import EYES, MOUTH, portrait, steady, still_clip, tone, write_clip
from tests.sample_data import SETTINGS

FRAMES = 10
EVERY = ("video", "audio", "action_units")


def own(*, without: tuple[str, ...] = (), rate: float = RATE, **options: Any) -> OwnRavdess:
    settings = RavdessSettings(frames=FRAMES, size=48)
    return OwnRavdess(
        settings, rate=rate, modalities=("video", "audio"), without=without, options=options
    )


def read(*files: Path, **options: Any) -> OwnSample:
    reader = own(**options)
    (group,) = reader.groups(files)
    return reader.read(group)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that does not move, for four seconds, and a tone."""
    path = tmp_path_factory.mktemp("own") / "clip.mp4"
    return still_clip(path, portrait(), seconds=4, sound=tone())


def same(found: torch.Tensor, expected: np.ndarray) -> bool:
    return bool(np.array_equal(found[0].numpy(), expected))


def test_clips_of_the_data_set_are_what_prepare_packed(raw: Path, packed: Path) -> None:
    dataset = PackedDataset(packed, task="ravdess", protocol="paper")
    reader = OwnRavdess(SETTINGS, rate=FPS, modalities=EVERY, without=(), options={})
    for row in (0, 37, 101):
        name = dataset.index["id"][row]
        video = next(raw.rglob(f"{name}.mp4"))
        (group,) = reader.groups([video, video.with_suffix(".csv")])
        sample = reader.read(group)
        assert not sample.missing and sample.sources["video"] == str(video)
        for modality in EVERY:
            assert same(sample.batch[modality], dataset.array(modality)[row])


def test_the_face_is_cut_out(clip: Path) -> None:
    sample = read(clip)
    assert sample.batch["video"].shape == (1, FRAMES, 48, 48, 3)
    assert sample.batch["audio"].shape == (1, 13, 212)
    assert (sample.missing, len(sample.views.frames)) == ({}, 5)
    view = sample.views.frames[0]
    scale = view.image.shape[1] / 512  # of the photograph
    assert view.box is not None
    left, top, right, bottom = view.box / scale
    for x, y in (*EYES, MOUTH):
        assert left < x < right and top < y < bottom
    assert (right - left) * (bottom - top) < 0.25 * 512 * 600


def test_of_two_faces_the_larger_one_is_taken(tmp_path: Path) -> None:
    large, small = portrait(), portrait(0.3)
    both = np.full((300, 256 + 160, 3), 200, np.uint8)
    both[:, 160:], both[:180, :154] = large, small
    sample = read(still_clip(tmp_path / "two.mp4", both, sound=tone()))
    assert any(note.startswith("2 faces: the one that is largest") for note in sample.notes)
    box = sample.views.frames[0].box
    assert box is not None
    left, _, right, _ = box * 416 / 240
    assert left < 160 + EYES[0][0] / 2 < 160 + EYES[1][0] / 2 < right


def test_no_face(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    path = still_clip(tmp_path / "noise.mp4", noise, sound=tone())
    with pytest.raises(DataError, match=r"noise.mp4: expected a face .* found none in 10 frames"):
        read(path)
    assert set(read(path, without=("video",)).missing) == {"video"}
    whole = read(path, face="whole")
    box = whole.views.frames[0].box
    assert box is not None and np.allclose(box, [0, 0, 240, 180])


def test_faces_by_landmarks(clip: Path, tmp_path: Path) -> None:
    """68 points in a rectangle, in every frame."""
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    points = np.concatenate([np.linspace(100, 150, 68), np.linspace(80, 160, 68)])
    lines = [",".join(["frame", "confidence", "success", *names])]
    lines += [",".join(map(str, [number, 1, 1, *points])) for number in range(1, 121)]
    table = tmp_path / "track.csv"
    table.write_text("\n".join(lines))
    frame = portrait()[80:160, 100:150]
    expected = cv2.resize(frame, (48, 48), interpolation=cv2.INTER_AREA).astype(int)
    for sample in (read(clip, face=str(table)), read(clip, table)):
        found = sample.batch["video"][0].numpy().astype(int)
        assert np.abs(found - expected).mean() < 4  # the codec's part
    table.write_text("frame,confidence,success,x_0\n1,1,1,4\n")
    with pytest.raises(DataError, match=r"track.csv: expected OpenFace's landmarks"):
        read(clip, face=str(table))
    with pytest.raises(DataError, match=r"face=nothing.csv: .* found no such file"):
        read(clip, face="nothing.csv")


def test_a_turned_clip_stands_upright(clip: Path, tmp_path: Path) -> None:
    """As a telephone writes it: lying frames, and how a player has to turn them."""
    upright = read(clip, face="whole").batch["video"].float()
    for turned, quarters in ((-90, 1), (90, -1), (180, 2)):
        lying = np.rot90(portrait(), quarters)
        path = still_clip(tmp_path / f"turned{turned}.mov", lying, sound=tone(), turned=turned)
        found = read(path, face="whole").batch["video"].float()
        assert (found - upright).abs().mean() < 3 < (found.flip(2) - upright).abs().mean()


def brightness(sample: OwnSample) -> np.ndarray:
    return sample.batch["video"][0].float().mean((1, 2, 3)).numpy()


def test_frames_of_a_varying_rate_are_taken_by_time(tmp_path: Path) -> None:
    """Brightness grows with time, whenever frames come."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.12, 60))
    times -= times[0]
    images = [np.full((48, 64, 3), 20 + 40 * time, np.uint8) for time in times]
    path = write_clip(tmp_path / "vary.mp4", images, list(times), sound=tone())
    sample = read(path, face="whole")
    assert any("taken by time at the 29.97 a second" in note for note in sample.notes)
    total = int(times[-1] * 60 / 59 * RATE)
    moments = ((total - FRAMES) // 2 + np.arange(FRAMES)) / RATE  # 10 in the middle
    began = [times[times <= moment + 1e-3].max() for moment in moments]
    assert np.abs(brightness(sample) - (20 + 40 * np.array(began))).max() < 2.5


def test_twice_the_rate_shows_the_same_moments(tmp_path: Path) -> None:
    found = []
    for rate in (RATE, 2 * RATE):
        times = steady(3, rate)
        images = [np.full((48, 64, 3), 20 + 60 * time, np.uint8) for time in times]
        path = write_clip(tmp_path / f"{rate:.0f}.mp4", images, times)
        found.append(brightness(read(path, face="whole")))
    assert np.abs(found[0] - found[1]).max() < 5  # two a frame, and the codec's part
    assert found[0][-1] - found[0][0] == pytest.approx(60 * (FRAMES - 1) / RATE, abs=3)


def test_a_single_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "one.mp4", [portrait()], [0.0], sound=tone())
    with pytest.raises(DataError, match=r"one.mp4: expected at least 10 frames, found 1; give"):
        read(path)
    assert list(read(path, without=("video",)).sources) == ["audio"]


def test_without_sound_and_without_video(clip: Path, tmp_path: Path) -> None:
    silent = read(still_clip(tmp_path / "silent.mp4", portrait()))
    assert silent.missing == {"audio": "the video has no sound"}
    assert not silent.batch["audio"].any()
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, tone(), 16000)
    heard = read(sound)
    assert heard.missing == {"video": "no video was given"} and not heard.batch["video"].any()
    beside = read(clip, sound)
    assert beside.sources == {"video": str(clip), "audio": str(sound)}
    assert torch.equal(beside.batch["audio"], heard.batch["audio"])


def test_sound_that_ends_early(tmp_path: Path) -> None:
    for seconds, message in ((2.0, "silence follows"), (0.3, "expected sound after 0.5 s")):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, tone(seconds), 16000)
        if seconds > 0.5:
            assert any(message in note for note in read(path).notes)
        else:
            with pytest.raises(DataError, match=message):
                read(path)


def test_ten_minutes_need_little_memory(tmp_path: Path) -> None:
    """600 frames and 600 s of sound are 138 and 38 MB, were they held together."""
    times = steady(600, 1)
    path = write_clip(tmp_path / "long.mkv", repeat(portrait(), len(times)), times, sound=tone(600))
    reader = own(rate=1.0)
    (group,) = reader.groups([path])
    reader.read(group)  # what is imported and cached does not count
    tracemalloc.start()
    sample = reader.read(group)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
    middle = (600 - FRAMES) // 2
    assert f"frames {middle} to {middle + FRAMES - 1} of 600 are looked at" in sample.notes
    assert any("cut a clip of about 4 s" in note for note in sample.notes)


def test_action_units_from_a_table(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (2, 35)).round(3)
    sound = tmp_path / "03-01-05-02-01-01-09.wav"
    soundfile.write(sound, tone(), 16000)
    table = tmp_path / "units.csv"
    rows = zip(("01-01-05-02-01-01-09", "01-01-05-02-01-01-10"), values, strict=True)
    lines = [",".join(["clip", *ACTION_UNITS]), *(",".join([n, *map(str, v)]) for n, v in rows)]
    table.write_text("\n".join(lines))
    settings = RavdessSettings(frames=FRAMES, size=48)
    reader = OwnRavdess(
        settings, rate=RATE, modalities=("audio", "action_units"), without=(), options={}
    )
    (group,) = reader.groups([sound, table])
    found = reader.read(group)
    assert np.allclose(found.batch["action_units"][0], values[0])
    assert list(found.views.values) == list(ACTION_UNITS)
    (group,) = reader.groups([sound.rename(tmp_path / "mine.wav"), table])
    with pytest.raises(DataError, match=r"expected a row of the clip mine, or a single one, found"):
        reader.read(group)


def test_which_files_belong_together(clip: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "a.wav"):
        source = clip if name.endswith("mp4") else tmp_path / "sound.wav"
        if name.endswith("wav"):
            soundfile.write(tmp_path / name, tone(), 16000)
        else:
            (tmp_path / name).write_bytes(source.read_bytes())
    a, b, sound = (tmp_path / name for name in ("a.mp4", "b.mp4", "a.wav"))
    groups = own().groups([a, sound])
    assert [group.files for group in groups] == [{"video": a, "sound": sound}]
    groups = own().groups([a, b, sound])
    assert [group.name for group in groups] == ["a", "b"]
    assert [set(group.files) for group in groups] == [{"video", "sound"}, {"video"}]
    other = tmp_path / "a.mkv"
    other.write_bytes(clip.read_bytes())
    with pytest.raises(DataError, match=r"expected one video for a, found .*a.mp4 as well"):
        own().groups([a, other])


def test_what_is_asked_in_vain(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"text: task=ravdess has no use for it; it takes face"):
        own(text="words")
    with pytest.raises(DataError, match=r"without=\[smell\]: expected some of video, audio"):
        own(without=("smell",))
    with pytest.raises(DataError, match=r"expected some of video, audio, and one left"):
        own(without=("video", "audio"))
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match=r"a.csv: .* found a csv with neither landmarks nor action"):
        own().groups([tmp_path / "a.csv"])
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(DataError, match=r"a.txt: expected a video, a sound, .* found a text"):
        own().groups([tmp_path / "a.txt"])
    reader = own(without=("audio",))
    soundfile.write(tmp_path / "a.wav", tone(), 16000)
    (group,) = reader.groups([tmp_path / "a.wav"])
    with pytest.raises(DataError, match=r"video: no video was given; audio: left out by without="):
        reader.read(group)


def test_the_clips_here_are_what_they_claim(clip: Path) -> None:
    with av.open(str(clip)) as container:
        assert len(list(container.decode(video=0))) == 120
