import csv
import json
import shutil
import warnings
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datamodules.formats.video import read_frames
from datamodules.ntu.clip import PrepareSample, Sample, choose_frames
from datamodules.ntu.prepare import prepare_ntu
from datamodules.ntu.sample.actions import FRAMES, LABELS
from datamodules.ntu.sample.files import write_avi
from datamodules.packed.errors import DataError
from tests.ntu_data import SAMPLES, SETTINGS
from tests.ntu_skeletons import random_frames, write_plain


def name(action: int, camera: int = 1) -> str:
    """The first subject, the n-th of the rendered actions."""
    return f"S001C{camera:03d}P001R001A{LABELS[action] + 1:03d}"


def prepare(raw: Path, out: Path, **options: Any) -> dict[str, Any]:
    prepare_ntu(raw, out, **({"protocol": "paper", "settings": SETTINGS, "workers": 1} | options))
    return json.loads((out / "manifest.json").read_text())


def index(packed: Path) -> list[dict[str, str]]:
    with (packed / "index.csv").open() as file:
        return list(csv.DictReader(file))


def copy(raw: Path, folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for sample in names:
        shutil.copy(raw / "nturgb+d_rgb" / f"{sample}_rgb.avi", folder)
        shutil.copy(raw / "nturgb+d_skeletons" / f"{sample}.skeleton", folder)
    return folder


@pytest.fixture(scope="module")
def damaged(ntu_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Thirteen samples, most of them broken in a way of their own, prepared."""
    base = tmp_path_factory.mktemp("damaged")
    sound = [name(0), name(9)]
    broken = [name(i) for i in range(1, 9)] + [name(0, 2), name(1, 2), name(2, 2)]
    raw = copy(ntu_raw, base / "raw", sound + broken)
    video = {sample: raw / f"{sample}_rgb.avi" for sample in broken}
    skeleton = {sample: raw / f"{sample}.skeleton" for sample in broken}

    skeleton[name(1)].unlink()
    video[name(2)].unlink()
    text = skeleton[name(3)].read_bytes()
    skeleton[name(3)].write_bytes(text[: len(text) // 2])
    skeleton[name(4)].write_bytes(b"")
    write_plain(skeleton[name(5)], random_frames([0] * 5))
    skeleton[name(6)].write_bytes(
        skeleton[name(6)].read_bytes().replace(b"\r\n25\r\n", b"\r\n24\r\n", 1)
    )
    lines = skeleton[name(7)].read_text().splitlines()
    skeleton[name(7)].write_text(
        "\n".join([*lines[:9], "here " + lines[9].split(" ", 1)[1], *lines[10:]])
    )
    content = video[name(8)].read_bytes()
    video[name(8)].write_bytes(content[: len(content) // 2])
    write_avi(video[name(0, 2)], np.zeros((0, 96, 96, 3), np.uint8), 8)
    video[name(1, 2)].write_bytes(b"RIFF")
    listed = base / "missing.txt"
    listed.write_text(f"{name(2, 2)}\nS017C003P008R002A060\n")
    out = base / "out"
    return out, prepare(raw, out, missing_skeletons=listed)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (name(1), "no skeleton file"),
        (name(2), "no video file"),
        (name(3), "found the end: the file is cut off"),
        (name(4), "expected the number of frames, found the end"),
        (name(5), "expected at least one body, found none in any frame"),
        (name(6), "expected a body of 25 joints in frame 1 of 20, found '24'"),
        (name(7), "line 10: expected"),
        (name(8), "bytes, as the file itself states, found"),
        (name(0, 2), "expected a video with frames, found none"),
        (name(1, 2), "expected a readable video file"),
        (name(2, 2), "listed as one with a missing skeleton"),
    ],
)
def test_broken_samples_are_dropped_with_their_reason(
    damaged: tuple[Path, dict[str, Any]], sample: str, reason: str
) -> None:
    assert reason in damaged[1]["dropped"][sample]
    assert len(damaged[1]["dropped"]) == 11


def test_sound_samples_are_packed_and_no_path_is_told(
    damaged: tuple[Path, dict[str, Any]],
) -> None:
    out, manifest = damaged
    assert [row["id"] for row in index(out)] == sorted([name(0), name(9)])
    assert manifest["counts"]["packed"] == 2
    assert manifest["provenance"] == "real"
    assert str(out.parent) not in json.dumps(manifest)


def test_packed_sample_data(ntu_packed: Path) -> None:
    rows = index(ntu_packed)
    assert len(rows) == SAMPLES
    assert list(rows[0]) == ["id", "subject", "camera", "setup", "replication", "label", "listed"]
    assert {int(row["label"]) for row in rows} == set(LABELS)
    assert {row["subject"] for row in rows} == {"1", "2", "3", "4"}
    video, skeleton = np.load(ntu_packed / "video.npy"), np.load(ntu_packed / "skeleton.npy")
    assert (video.shape, video.dtype) == ((SAMPLES, 4, 24, 24, 3), np.uint8)
    assert (skeleton.shape, skeleton.dtype) == ((SAMPLES, 3, FRAMES, 25, 2), np.float32)
    assert np.load(ntu_packed / "skeleton_length.npy").tolist() == [FRAMES] * SAMPLES
    assert json.loads((ntu_packed / "manifest.json").read_text())["provenance"] == "sample"
    pairs = skeleton[..., 1].any((1, 2, 3))
    two = np.isin([int(row["label"]) + 1 for row in rows], (56, 58))
    assert pairs[two].all()
    assert not pairs[~two].any()


def test_pictures_are_those_of_the_file(ntu_raw: Path, ntu_packed: Path) -> None:
    row = [r["id"] for r in index(ntu_packed)].index(name(0))
    path = ntu_raw / "nturgb+d_rgb" / f"{name(0)}_rgb.avi"
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    expected = [
        cv2.resize(frames[i], (24, 24), interpolation=cv2.INTER_AREA) for i in (2, 7, 12, 17)
    ]
    found = np.load(ntu_packed / "video.npy")[row]
    assert np.abs(found - np.stack(expected).astype(int)).max() <= 4


@pytest.mark.parametrize(
    ("total", "frames", "shown", "black"),
    [
        (20, 4, [2, 7, 12, 17], [0, 6, 13, 20]),
        (3, 4, [0, 1, 1, 2], [0, 1, 2, 3]),
        (100, 5, [10, 30, 50, 70, 90], [0, 25, 50, 75, 100]),
        (7, 1, [3], [0]),
    ],
)
def test_choice_of_frames(total: int, frames: int, shown: list[int], black: list[int]) -> None:
    assert choose_frames(total, frames, "shown") == shown
    assert choose_frames(total, frames, "black") == black
    if frames > 1:
        assert black == np.floor(np.linspace(0, total, frames)).astype(int).tolist()


def test_settings_decide_how_pictures_are_made(ntu_raw: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide_rgb.avi"
    images = np.zeros((8, 48, 96, 3), np.uint8)
    images[:, :, 24:72] = 200  # the middle square is bright
    write_avi(wide, images, 8)

    def frames_of(**settings: Any) -> np.ndarray:
        work = PrepareSample(tmp_path, replace(SETTINGS, **settings))
        return work(Sample(wide, None)).arrays["video"].astype(int)

    squeezed, cropped = frames_of(), frames_of(shape="crop")
    assert squeezed[:, :, :5].max() < 30 < 170 < squeezed[:, :, 7:17].min()
    assert cropped[:, :, 1:-1].min() > 170
    dark = frames_of(frames=3, last_frame="black")
    assert not dark[-1].any()
    assert np.abs(dark[0] - squeezed[0]).max() < 5


def test_one_modality_alone(ntu_raw: Path, tmp_path: Path) -> None:
    raw = copy(ntu_raw, tmp_path / "raw", [name(0), name(1)])
    for path in raw.glob("*.avi"):
        path.unlink()
    manifest = prepare(raw, tmp_path / "out")
    assert set(manifest["modalities"]) == {"skeleton", "skeleton_length"}
    assert manifest["counts"]["packed"] == 2


def test_listed_samples_can_be_marked_instead(ntu_raw: Path, tmp_path: Path) -> None:
    raw = copy(ntu_raw, tmp_path / "raw", [name(0), name(1)])
    listed = tmp_path / "missing.txt"
    listed.write_text(name(1))
    settings = replace(SETTINGS, listed_skeletons="mark")
    manifest = prepare(raw, tmp_path / "out", settings=settings, missing_skeletons=listed)
    assert not manifest["dropped"]
    assert {row["id"]: row["listed"] for row in index(tmp_path / "out")} == {
        name(0): "0",
        name(1): "1",
    }


@pytest.mark.parametrize("bodies", ["motion", "file_order"])
def test_skeletons_without_bodies_are_zeros_where_samples_are_marked(
    bodies: str, ntu_raw: Path, tmp_path: Path
) -> None:
    raw = copy(ntu_raw, tmp_path / "raw", [name(0), name(1), name(2)])
    write_plain(raw / f"{name(1)}.skeleton", random_frames([0] * 5))
    write_plain(raw / f"{name(2)}.skeleton", [])
    settings = replace(SETTINGS, listed_skeletons="mark", bodies=bodies)  # type: ignore[arg-type]
    manifest = prepare(raw, tmp_path / "out", settings=settings)
    assert not manifest["dropped"]
    assert manifest["counts"]["packed"] == 3
    assert manifest["counts"]["without_bodies"] == 2
    skeletons = np.load(tmp_path / "out" / "skeleton.npy")
    lengths = np.load(tmp_path / "out" / "skeleton_length.npy").tolist()
    ids = [row["id"] for row in index(tmp_path / "out")]
    assert dict(zip(ids, lengths, strict=True)) == {name(0): FRAMES, name(1): 5, name(2): 0}
    assert {i for i, part in zip(ids, skeletons, strict=True) if part.any()} == {name(0)}
    assert np.load(tmp_path / "out" / "video.npy").any((1, 2, 3, 4)).all()


def test_bodies_by_motion_or_in_file_order(tmp_path: Path) -> None:
    g = np.random.default_rng(0)
    chair = g.normal(0, 1, (25, 3)) * (0.5, 0.05, 0.1) + (0, 0, 3)
    person = g.normal(0, 1, (25, 3)) * (0.2, 0.5, 0.1) + (1, 0, 3)
    frames = [[(1, chair), (2, person + 0.1 * np.sin(t))] for t in range(16)]
    path = write_plain(tmp_path / "a.skeleton", frames)
    path.write_text(path.read_text().replace(f"{person[0, 0]:.7g} ", "nan ", 1))

    def first_person(bodies: str) -> tuple[np.ndarray, list[str]]:
        work = PrepareSample(tmp_path, replace(SETTINGS, bodies=bodies))  # type: ignore[arg-type]
        prepared = work(Sample(None, path))
        return prepared.arrays["skeleton"][..., 0].transpose(1, 2, 0), prepared.marks

    found, marks = first_person("motion")
    expected = np.stack([joints for _, (_, joints) in frames])
    expected[0, 0, 0] = 0
    assert np.abs(found - expected).max() < 1e-5
    assert marks == ["bodies_left_out", "not_finite_joints"]
    found, marks = first_person("file_order")
    assert np.abs(found - chair).max() < 1e-5
    assert marks == ["not_finite_joints"]


def test_skeletons_as_others_save_them(tmp_path: Path) -> None:
    """With a byte order mark; a joint that float32 cannot hold is none that is finite."""
    frames = random_frames([1] * 6)
    plain = write_plain(tmp_path / "a.skeleton", frames)
    other = tmp_path / "b.skeleton"
    far = plain.read_text().replace(f"{frames[2][0][1][3, 0]:.7g} ", "-1e300 ", 1)
    other.write_bytes(b"\xef\xbb\xbf" + far.encode())
    work = PrepareSample(tmp_path, SETTINGS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected, found = (work(Sample(None, path)) for path in (plain, other))
    assert found.marks == ["not_finite_joints"]
    assert found.arrays["skeleton"][0, 2, 3, 0] == 0
    expected.arrays["skeleton"][0, 2, 3, 0] = 0
    assert np.array_equal(found.arrays["skeleton"], expected.arrays["skeleton"])


def test_how_large_it_will_be_is_said_first(
    ntu_raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = copy(ntu_raw, tmp_path / "raw", [name(0)])
    with pytest.raises(DataError, match=r"expected .* GB of free disk space"):
        prepare(raw, tmp_path / "out", settings=replace(SETTINGS, frames=2_000_000_000))
    assert "packing 1 samples" in capsys.readouterr().out


def test_large_pictures_do_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write_avi(path, np.zeros((6, 96, 96, 3), np.uint8), 8)
    frames: list[weakref.ref[np.ndarray]] = []
    alive: list[int] = []

    def reduce(image: np.ndarray, number: int) -> np.ndarray:
        assert image.shape == (96, 96, 3) and number in (0, 2, 5)
        whole = image.base if isinstance(image.base, np.ndarray) else image
        frames.append(weakref.ref(whole))
        alive.append(sum(frame() is not None for frame in frames))
        return image[::8, ::8].copy()

    assert read_frames(path, [0, 2, 2, 5], change=reduce).shape == (4, 12, 12, 3)
    assert alive == [1, 1, 1]  # each is gone when the next one is reduced
    assert not any(frame() is not None for frame in frames)
