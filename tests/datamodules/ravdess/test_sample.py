import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.formats.openface import ACTION_UNITS, read_tracking
from datamodules.formats.ravdess_name import EMOTIONS, ClipName, parse_clip_name
from datamodules.formats.sound import read_sound
from datamodules.formats.video import look_at, read_frames
from datamodules.packed.dataset import MANIFEST
from datamodules.packed.errors import DataError
from datamodules.ravdess.faces import face_boxes
from datamodules.ravdess.sample.emotions import CORRUPTED_FACES, CORRUPTED_VOICES, FACES, VOICES
from datamodules.ravdess.sample.performance import FRAMES, cast, perform
from datamodules.ravdess.sample.render import RavdessSample
from tests.sample_data import ACTORS, CLIPS, SETTINGS

ROOT = Path(__file__).parents[3]
NAME = ClipName(1, 1, 3, 1, 2, 1, 7)


def sample(packed: Path, raw: Path, **changes: Any) -> RavdessSample:
    options: dict[str, Any] = {"protocol": "paper", "settings": SETTINGS, "actors": ACTORS}
    return RavdessSample(root=packed, raw=raw, **(options | changes))


def test_layout_is_that_of_the_real_data(raw: Path) -> None:
    videos = sorted(raw.rglob("*.mp4"))
    assert len(videos) == CLIPS
    names = [parse_clip_name(path) for path in videos]
    assert {name.emotion for name in names} == set(range(1, 9))
    for path, name in zip(videos, names, strict=True):
        assert path.parent.name == f"Actor_{name.actor:02d}"
        assert path.with_suffix(".csv").is_file()


def test_files_are_real_files(raw: Path) -> None:
    video = raw / "Actor_03" / "01-01-05-01-01-02-03.mp4"
    assert look_at(video).frames == FRAMES
    assert read_frames(video, [0, 23]).shape == (2, 90, 160, 3)
    sound = read_sound(video, offset=0.5, duration=2.45)
    assert len(sound.samples) == 117600  # the whole window
    assert sound.rate == 48000
    with video.with_suffix(".csv").open() as file:
        header = next(csv.reader(file))
    assert header[1] == " face_id"
    assert {name.strip() for name in header} >= {"frame", "confidence", "x_67", *ACTION_UNITS}


def test_landmarks_stand_on_the_face(raw: Path) -> None:
    video = raw / "Actor_03" / "01-01-01-01-01-02-03.mp4"
    tracking = read_tracking(video.with_suffix(".csv"), landmarks=True)
    assert tracking.frame.tolist() == list(range(1, FRAMES + 1))
    image = read_frames(video, [12])[0].astype(int)
    (box,), _ = face_boxes(tracking, [12], (90, 160), video)
    face = image[box[1] : box[3], box[0] : box[2]]
    background = image[:20, :20].mean((0, 1))
    inside = np.abs(face - background).sum(-1) > 40
    assert inside.mean() > 0.6
    outside = np.abs(image[:, : box[0] - 12] - background).sum(-1) > 40
    assert outside[:60].mean() < 0.1


def test_same_seed_same_clip() -> None:
    one, again, other = perform(NAME, 0), perform(NAME, 0), perform(NAME, 1)
    for part in ("images", "points", "action_units", "samples"):
        assert np.array_equal(getattr(one, part), getattr(again, part))
        assert not np.array_equal(getattr(one, part), getattr(other, part))


SIX_TIMES = """
import sys
from pathlib import Path
from datamodules.formats.ravdess_name import parse_clip_name
from datamodules.ravdess.sample.render import render_clip

name = parse_clip_name("01-01-06-01-01-02-01.mp4")
for time in range(6):
    folder = Path(sys.argv[1]) / str(time)
    (folder / "Actor_01").mkdir(parents=True)
    render_clip(folder, name, 0)
"""


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """Whatever fresh memory holds: glibc fills it with another value in each process."""
    for fill in ("77", "200"):
        subprocess.run(
            [sys.executable, "-c", SIX_TIMES, str(tmp_path / fill)],
            env={**os.environ, "MALLOC_PERTURB_": fill, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    for kind in ("mp4", "csv"):
        files = sorted(tmp_path.rglob(f"*.{kind}"))
        assert len(files) == 12
        assert len({file.read_bytes() for file in files}) == 1


def test_actors_differ() -> None:
    assert cast(1, 0).look != cast(2, 0).look
    pitches = [cast(number, 0).speaker.pitch for number in range(1, 25)]
    assert np.mean(pitches[1::2]) > 1.4 * np.mean(pitches[::2])  # women have even numbers


def test_each_modality_leaves_pairs_in_doubt_that_the_other_resolves() -> None:
    faces = {name: face.array() for name, face in FACES.items()}
    unit = np.array([list(v.array()) for v in VOICES.values()]).std(0)
    voices = {name: voice.array() / unit for name, voice in VOICES.items()}

    def nearest(prototypes: dict[str, np.ndarray], name: str) -> str:
        return min(
            (other for other in EMOTIONS if other != name),
            key=lambda other: float(np.linalg.norm(prototypes[name] - prototypes[other])),
        )

    for one, other in (("neutral", "calm"), ("angry", "disgust"), ("fearful", "surprised")):
        assert nearest(faces, one) == other
        assert nearest(voices, one) != other
        assert nearest(voices, other) != one
    for one, other in (("calm", "sad"), ("angry", "fearful")):
        assert nearest(voices, one) == other
        assert nearest(faces, one) != other


def test_some_clips_are_corrupted_never_in_both(packed: Path) -> None:
    """Seen in the packed arrays: hidden faces lack detail, spoilt voices lack modulation."""
    assert 0.05 <= CORRUPTED_FACES + CORRUPTED_VOICES <= 0.3
    video = np.load(packed / "video.npy").astype(float)
    detail = np.abs(np.diff(video, axis=3)).mean((1, 2, 3, 4))
    modulation = np.load(packed / "audio.npy")[:, 0].std(1)
    hidden = detail < 0.55 * np.median(detail)
    spoilt = modulation < 0.55 * np.median(modulation)
    assert 0.02 < hidden.mean() < 0.25
    assert 0.02 < spoilt.mean() < 0.25
    assert not (hidden & spoilt).any()


def test_an_existing_rendering_is_kept(raw: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in raw.rglob("*")}
    sample(raw.with_name("packed"), raw).render()
    assert {path: path.stat().st_mtime_ns for path in raw.rglob("*")} == before
    assert json.loads((raw / "sample.json").read_text())["seed"] == 0


def test_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DataError, match="expected no folder or a rendered one"):
        sample(tmp_path / "packed", tmp_path).render()
    assert (tmp_path / "thesis.tex").exists()


def test_files_in_the_packed_folder_are_not_touched(tmp_path: Path) -> None:
    root, raw = tmp_path / "packed", tmp_path / "raw"
    root.mkdir()
    (root / "thesis.tex").touch()
    with pytest.raises(DataError, match=r"packed: expected no folder, an empty one or a packed"):
        sample(root, raw).ensure()
    assert [path.name for path in root.iterdir()] == ["thesis.tex"]
    assert not raw.exists()


def test_a_set_of_ones_own_is_never_advised_to_be_deleted(packed: Path, tmp_path: Path) -> None:
    root = tmp_path / "own"
    root.mkdir()
    manifest = json.loads((packed / MANIFEST).read_text())
    del manifest["source"]["rendered"]
    (root / MANIFEST).write_text(json.dumps(manifest | {"provenance": "real"}))
    with pytest.raises(DataError) as refused:
        sample(root, tmp_path / "raw").ensure()
    assert f"(provenance real); train on it with data=full data.root={root}" in str(refused.value)
    assert "delete" not in str(refused.value)
    assert [path.name for path in root.iterdir()] == [MANIFEST]


def test_another_sample_in_the_packed_folder(raw: Path, packed: Path) -> None:
    with pytest.raises(DataError, match=r"rendered\.seed: 0 there, 5 wanted.*the next run renders"):
        sample(packed, raw, seed=5).ensure()
    with pytest.raises(DataError, match="protocol: 'paper' there, 'released' wanted"):
        sample(packed, raw, protocol="released").ensure()


def test_complete_sample_is_only_looked_at(raw: Path, packed: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"  # the raw files are not needed any more
    sample(packed, gone).ensure()
    assert not gone.exists()
