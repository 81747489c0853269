import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.formats.ntu_name import ACTIONS, SampleName, parse_sample_name
from datamodules.formats.skeleton import read_skeleton
from datamodules.formats.video import look_at, read_frames
from datamodules.ntu.sample.actions import (
    CHOSEN,
    FRAMES,
    HELD,
    LABELS,
    SPOILT_SKELETON,
    SPOILT_VIDEO,
    act,
)
from datamodules.ntu.sample.drawing import HEIGHT, WIDTH, project
from datamodules.ntu.sample.figure import HEAD, RIGHT_ARM, Build, Movement, joints_of, stand
from datamodules.ntu.sample.performance import perform
from datamodules.ntu.sample.play import setup_of
from datamodules.ntu.sample.render import NtuSample, render_sample
from datamodules.packed.errors import DataError
from tests.ntu_data import SAMPLES, SETTINGS, SUBJECTS

ROOT = Path(__file__).parents[3]


def small(packed: Path, raw: Path, **changes: Any) -> NtuSample:
    options: dict[str, Any] = {"protocol": "paper", "settings": SETTINGS, "subjects": SUBJECTS}
    return NtuSample(root=packed, raw=raw, **(options | changes))


def sample(action: str, subject: int = 1, camera: int = 2) -> SampleName:
    return SampleName(setup_of(subject), camera, subject, 1, ACTIONS.index(action) + 1)


def folder(path: Path) -> Path:
    for name in ("nturgb+d_rgb", "nturgb+d_skeletons"):
        (path / name).mkdir(parents=True)
    return path


def test_layout_is_that_of_the_real_data(ntu_raw: Path) -> None:
    videos = sorted((ntu_raw / "nturgb+d_rgb").glob("*_rgb.avi"))
    skeletons = sorted((ntu_raw / "nturgb+d_skeletons").glob("*.skeleton"))
    names = [parse_sample_name(path) for path in videos]
    assert len(names) == SAMPLES
    assert names == [parse_sample_name(path) for path in skeletons]
    assert {name.action - 1 for name in names} == set(LABELS)
    assert {name.camera for name in names} == {1, 2, 3}
    assert look_at(videos[0]).frames == read_skeleton(skeletons[0]).frames == FRAMES
    assert read_frames(videos[0], [0]).shape == (1, HEIGHT, WIDTH, 3)


def test_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    name = sample("give object", camera=3)
    code = (
        "import sys; from pathlib import Path; "
        "from datamodules.ntu.sample.render import render_sample; "
        "from datamodules.formats.ntu_name import parse_sample_name; "
        "render_sample(Path(sys.argv[1]), parse_sample_name(sys.argv[2]), 0)"
    )
    raws = [folder(tmp_path / str(number)) for number in range(5)]
    for raw in raws[:3]:
        render_sample(raw, name, 0)
    render_sample(raws[3], name, 1)
    subprocess.run([sys.executable, "-c", code, str(raws[4]), name.id], cwd=ROOT, check=True)
    for file in (f"nturgb+d_rgb/{name.id}_rgb.avi", f"nturgb+d_skeletons/{name.id}.skeleton"):
        contents = [(raw / file).read_bytes() for raw in raws]
        assert contents[0] == contents[1] == contents[2] == contents[4]
        assert contents[0] != contents[3]


def test_joints_stand_on_the_drawn_figure() -> None:
    for camera in (1, 2, 3):
        recording = perform(sample("nod head", subject=4, camera=camera), 0)
        bodies = [joints for frame in recording.frames for _, joints in frame]
        where = np.round(project(np.mean(bodies, axis=0))).astype(int)
        frame = recording.images.mean(0)
        room = frame[:30, :8].mean((0, 1))
        column, row = where[HEAD]
        assert np.abs(frame[row, column] - room).sum() > 40
        assert 0 <= where[:, 0].min() <= where[:, 0].max() < WIDTH
        assert where[:, 1].min() >= 0


def test_arms_keep_their_length_and_reach_for_their_goal() -> None:
    build = Build(1.8)
    goal = np.array([[-0.05, 0.86, 0.07], [-0.13, 0.47, 0.03]])
    joints = joints_of(build, Movement(goal * (-1, 1, 1), goal))
    shoulder, elbow, wrist = (joints[:, joint] for joint in RIGHT_ARM[:3])
    assert np.allclose(np.linalg.norm(elbow - shoulder, axis=1), 0.175 * 1.8)
    assert np.allclose(np.linalg.norm(wrist - elbow, axis=1), 0.175 * 1.8)
    assert np.abs(wrist[0] - goal[0] * 1.8).max() < 1e-9
    turned = stand(joints, (0.5, 0.2), 1.0)
    sizes = [np.linalg.norm(j[:, :, None] - j[:, None], axis=-1) for j in (joints, turned)]
    assert np.allclose(*sizes)


def test_pairs_are_one_motion_with_another_thing() -> None:
    for one, other in (("drink", "phone call"), ("read", "play with phone")):
        a, b = (act(action, 1.7, np.random.default_rng(3)) for action in (one, other))
        for movement, same in zip(a.movements, b.movements, strict=True):
            assert np.array_equal(movement.right, same.right)
            assert np.array_equal(movement.left, same.left)
        assert a.held != b.held
    give, shake = (act(a, 1.7, np.random.default_rng(3)) for a in ("give object", "shake hands"))
    assert np.array_equal(give.movements[1].right, shake.movements[1].right)
    assert (give.held, shake.held) == ("box", None)


def test_pairs_without_a_thing_differ_in_the_direction_of_a_few_centimetres() -> None:
    spans = {}
    for action in ("clap", "rub hands"):
        movement = act(action, 1.7, np.random.default_rng(3)).movements[0]
        apart = (movement.left - movement.right)[8:12] * 1.7
        spans[action] = np.ptp(apart, axis=0)
    assert spans["clap"][0] > 3 * spans["clap"][2]
    assert spans["rub hands"][2] > 3 * spans["rub hands"][0]
    for action, still in (("nod head", "shake"), ("shake head", "nod")):
        movement = act(action, 1.7, np.random.default_rng(3)).movements[0]
        assert not getattr(movement, still).any()
        assert 0.04 < np.abs(movement.nod + movement.shake).max() <= 0.1
    assert set(HELD) | {"shake hands", "clap", "rub hands", "nod head", "shake head"} == set(CHOSEN)


def test_some_samples_are_spoilt_never_in_both_streams(ntu_packed: Path) -> None:
    """Seen in the packed arrays: joints that jump, frames without edges or with a wall before."""
    assert SPOILT_VIDEO + SPOILT_SKELETON <= 0.3
    skeleton = np.load(ntu_packed / "skeleton.npy")[..., 0]
    jumps = np.abs(np.diff(skeleton, 2, axis=2)).mean((1, 2, 3))
    spoilt_skeleton = jumps > 3 * np.median(jumps)
    video = np.load(ntu_packed / "video.npy").astype(float)
    middle = video[:, :, 8:20, 9:15].std((2, 3)).mean((1, 2))  # the height of head and trunk
    spoilt_video = middle < 0.45 * np.median(middle)
    assert 0.02 < spoilt_skeleton.mean() < 0.25
    assert 0.02 < spoilt_video.mean() < 0.25
    assert not (spoilt_video & spoilt_skeleton).any()


def test_cameras_see_one_performance(ntu_raw: Path) -> None:
    """Distances between joints do not depend on where the camera stands."""
    size = []
    for camera in (1, 2, 3):
        name = sample("clap", subject=2, camera=camera)
        bodies = read_skeleton(ntu_raw / "nturgb+d_skeletons" / f"{name.id}.skeleton")
        mean = bodies.joints.mean(0)
        size.append(np.linalg.norm(mean[:, None] - mean, axis=-1))
    assert np.abs(size[0] - size[1]).mean() < 0.06
    assert np.abs(size[2] - size[1]).mean() < 0.06


def test_an_existing_rendering_is_kept_and_foreign_folders_are_not_touched(
    ntu_raw: Path, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in ntu_raw.rglob("*")}
    small(tmp_path / "packed", ntu_raw).render()
    assert {path: path.stat().st_mtime_ns for path in ntu_raw.rglob("*")} == before
    assert json.loads((ntu_raw / "sample.json").read_text())["seed"] == 0
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DataError, match="expected no folder or a rendered one"):
        small(tmp_path / "packed", tmp_path).render()
    assert (tmp_path / "thesis.tex").exists()


def test_complete_sample_is_only_looked_at(ntu_raw: Path, ntu_packed: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"  # the raw files are not needed any more
    small(ntu_packed, gone).ensure()
    assert not gone.exists()
    with pytest.raises(
        DataError, match=r"settings\.frames: 4 there, 5 wanted.*renders the sample anew"
    ):
        small(ntu_packed, ntu_raw, settings=replace(SETTINGS, frames=5)).ensure()
