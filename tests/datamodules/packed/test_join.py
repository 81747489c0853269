"""Parts of a rendered RAVDESS, joined, against the same raw files prepared at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.packed import join as joining
from datamodules.packed.dataset import PackedDataset, manifest_hash
from datamodules.packed.errors import DataError
from datamodules.packed.join import join_parts
from datamodules.packed.verify import verify_packed
from datamodules.ravdess.prepare import prepare_ravdess
from tests.sample_data import SETTINGS

EMOTIONS = (1, 3, 6)  # of 32 clips an actor, three: the tests are about rows, not about faces


def prepare(raw: Path, out: Path, **options: Any) -> Path:
    return prepare_ravdess(raw, out, protocol="paper", settings=SETTINGS, workers=1, **options)


@pytest.fixture(scope="module")
def few(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw files of two actors; one clip is broken, one has frames without a landmark row."""
    folder = tmp_path_factory.mktemp("few") / "raw"
    for actor in (1, 2):
        for emotion in EMOTIONS:
            for suffix in (".mp4", ".csv"):
                name = f"Actor_{actor:02d}/01-01-{emotion:02d}-01-01-01-{actor:02d}{suffix}"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(raw / name, folder / name)
    broken = folder / "Actor_01" / "01-01-03-01-01-01-01.mp4"
    broken.write_bytes(broken.read_bytes()[:5000])
    late = folder / "Actor_01" / "01-01-06-01-01-01-01.csv"
    late.write_text("\n".join(late.read_text().splitlines()[:-2]) + "\n")
    shutil.copy(broken, folder / "Actor_02" / "02-01-01-01-01-01-02.mp4")  # is counted, not used
    return folder


@pytest.fixture(scope="module")
def at_once(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(few, tmp_path_factory.mktemp("at-once") / "out")


@pytest.fixture(scope="module")
def prepared(few: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Made in the other order, from raw files that are gone before the parts are joined."""
    folder = tmp_path_factory.mktemp("parts")
    raw = Path(shutil.copytree(few, folder / "raw"))
    parts = []
    for actor in (2, 1):
        parts.append(prepare(raw, folder / f"actor-{actor}", actors=[actor]))
        shutil.rmtree(raw / f"Actor_{actor:02d}")
    return parts


@pytest.fixture
def parts(prepared: list[Path], tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(part, tmp_path / part.name)) for part in prepared]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_joined_set_is_the_one_prepared_at_once(
    parts: list[Path], at_once: Path, tmp_path: Path
) -> None:
    out = join_parts(parts, tmp_path / "out")
    assert manifest_hash(out) == manifest_hash(at_once)
    wanted, found = content(at_once), content(out)
    assert wanted.keys() == found.keys()
    assert all(found[name] == wanted[name] for name in wanted if name != "manifest.json")
    ids = PackedDataset(out, task="ravdess", protocol="paper").index["id"]
    assert ids == sorted(ids)
    assert len(ids) == 5
    manifest = json.loads(found["manifest.json"])
    assert manifest["counts"]["dropped"] == manifest["counts"]["ignored"] == 1
    assert manifest["warnings"] == ["01-01-06-01-01-01-01: landmarks for 22 frames, video with 24"]
    verify_packed(out)
    assert not list(tmp_path.glob("out.joining"))
    assert not list(tmp_path.glob("actor-*/*.npy"))


def test_prepare_takes_the_joined_set_for_its_own(
    few: Path, parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = join_parts(parts, tmp_path / "out")
    before = content(out)
    prepare(few, out)
    join_parts(parts, out)
    assert capsys.readouterr().out.count("is complete: nothing to do") == 2
    assert content(out) == before


def test_a_killed_join_goes_on(
    parts: list[Path], at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, left = joining._copy, 4

    def dying(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        copy(*arguments)
        if not left:
            raise KeyboardInterrupt

    monkeypatch.setattr(joining, "_copy", dying)
    with pytest.raises(KeyboardInterrupt):
        join_parts(parts, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="other parts are being joined; continue that call first"):
        join_parts(parts[:1], tmp_path / "out")
    left = 100
    assert manifest_hash(join_parts(parts, tmp_path / "out")) == manifest_hash(at_once)


def change(name: str) -> Callable[[Path], None]:
    def apply(part: Path) -> None:
        path = part / name
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    return apply


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (change("audio.npy"), "audio.npy: expected the array that the manifest describes"),
        (change("index.csv"), "index.csv: expected the index that the manifest describes"),
        (lambda part: (part / "audio.npy").unlink(), "audio.npy: expected an array, found none"),
        (lambda part: (part / "manifest.json").unlink(), "expected a packed data set, found a fol"),
    ],
)
def test_a_damaged_part_is_named(
    damage: Callable[[Path], None], says: str, parts: list[Path], tmp_path: Path
) -> None:
    damage(parts[1])
    with pytest.raises(DataError, match=says):
        join_parts(parts, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parts_that_do_not_fit(at_once: Path, parts: list[Path], tmp_path: Path) -> None:
    small = Path(shutil.copytree(parts[1], tmp_path / "small"))
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["settings"]["n_mfcc"] = 12
    (small / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="n_mfcc: 12 there, 13 wanted"):
        join_parts([parts[0], small], tmp_path / "out")
    with pytest.raises(DataError, match="found a whole set"):
        join_parts([parts[0], at_once], tmp_path / "out")
    twin = Path(shutil.copytree(parts[0], tmp_path / "twin"))
    with pytest.raises(DataError, match="expected every sample in one part, found 01-01-01-01"):
        join_parts([*parts, twin], tmp_path / "out")
    assert np.load(parts[0] / "audio.npy").shape == (3, 13, 212)


@pytest.mark.parametrize(
    ("actors", "says"),
    [([0], "expected numbers from 1 to 24, found 0"), ([5], "speech files .* of the actors 5,")],
)
def test_actors_that_are_not_there(actors: list[int], says: str, few: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        prepare(few, tmp_path / "out", actors=actors)
