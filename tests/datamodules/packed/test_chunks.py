"""Chunks and assembly on a task of ten lines: any packed set is made by them."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from datamodules.packed import assemble as assembly
from datamodules.packed import job as jobs
from datamodules.packed.assemble import assemble
from datamodules.packed.chunks import Prepared, Work, run_chunks
from datamodules.packed.dataset import manifest_hash
from datamodules.packed.errors import DataError
from datamodules.packed.job import PrepareJob, pack

ITEMS = list(range(40))  # three chunks
DROPPED = {3, 16, 39}
INDEX = [{"id": f"s{item}", "number": item} for item in ITEMS]


def work(item: int) -> Prepared:
    """The process that works on an item leaves its mark in the folder named by the environment."""
    if folder := os.environ.get("TEST_CHUNKS_FOLDER"):
        (Path(folder) / str(item)).touch()
    if item in DROPPED:
        raise DataError(f"item {item} is broken")
    arrays = {"even": np.full((2, 3), item, np.int16), "half": np.array([item / 2])}
    return Prepared(arrays, ["odd"] * (item % 2), [f"item {item} is ten"] if item == 10 else [])


def refuse(item: int) -> Prepared:
    raise DataError("broken")


def job(**changes: object) -> PrepareJob:
    entries: dict[str, object] = {
        "task": "test",
        "protocol": "paper",
        "provenance": "real",
        "settings": {"size": 3},
        "source": {"files": 40, "bytes": 0, "digest": "x"},
        "index": INDEX,
        "items": ITEMS,
        "work": work,
        "bytes_per_sample": 20,
        "seconds_per_sample": 0.01,
    }
    return PrepareJob(**(entries | changes))  # type: ignore[arg-type]


def done(samples: int) -> None:
    """Nobody looks at the bar."""


def kept() -> list[int]:
    return [item for item in ITEMS if item not in DROPPED]


def test_packed_set(tmp_path: Path) -> None:
    out = pack(job(dropped={"s99": "no file"}), tmp_path / "out", workers=2)
    assert np.load(out / "even.npy")[:, 1, 2].tolist() == kept()
    assert np.load(out / "half.npy")[:, 0].tolist() == [item / 2 for item in kept()]
    lines = (out / "index.csv").read_text().splitlines()
    assert lines == ["id,number", *(f"s{item},{item}" for item in kept())]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["dropped"] == {
        "s3": "item 3 is broken",
        "s16": "item 16 is broken",
        "s39": "item 39 is broken",
        "s99": "no file",
    }
    assert manifest["counts"] == {"packed": 37, "dropped": 4, "odd": 18}
    assert manifest["warnings"] == ["s10: item 10 is ten"]
    assert manifest["modalities"]["even"]["shape"] == [37, 2, 3]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.lock"]


def test_finished_chunks_are_not_worked_on_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks, seen = tmp_path / "chunks", tmp_path / "seen"
    chunks.mkdir()
    seen.mkdir()
    first = run_chunks(ITEMS, work, chunks, workers=1, done=done)
    (chunks / "chunk-00001.json").unlink()
    (chunks / "chunk-00001.even.npy.4711").write_bytes(b"what a kill leaves")
    monkeypatch.setenv("TEST_CHUNKS_FOLDER", str(seen))
    told: list[int] = []
    assert run_chunks(ITEMS, work, chunks, workers=1, done=told.append) == first
    assert sorted(int(p.name) for p in seen.iterdir()) == list(range(16, 32))
    assert told == [24, 16]


def test_interrupted_assembly_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    records = run_chunks(ITEMS, work, whole, workers=1, done=done)
    cut = Path(shutil.copytree(whole, tmp_path / "cut"))
    assemble(records, INDEX, whole)

    move, calls = assembly._move, []

    def killed(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        move(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(assembly, "_move", killed)
    with pytest.raises(KeyboardInterrupt):
        assemble(records, INDEX, cut)
    monkeypatch.setattr(assembly, "_move", move)
    assert len(list(cut.glob("*.npy"))) == 4
    assemble(records, INDEX, cut)
    for name in ("even.npy", "half.npy", "index.csv"):
        assert (cut / "packed" / name).read_bytes() == (whole / "packed" / name).read_bytes()


def killed(item: int) -> Prepared:
    if item == 20:
        os._exit(9)
    return work(item)


def test_a_killed_worker_is_named_and_loses_no_finished_chunk(tmp_path: Path) -> None:
    def chunks(work_on: Work) -> list[dict[str, object]]:
        return run_chunks(ITEMS, work_on, tmp_path, workers=1, done=lambda samples: None)

    with pytest.raises(DataError, match=r"a worker process was killed.* fewer than workers=1"):
        chunks(killed)
    assert [file.name for file in tmp_path.glob("*.json")] == ["chunk-00000.json"]
    assert len(chunks(work)) == len(ITEMS)


def test_two_jobs_want_the_same_folder(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "out.lock"),
        pytest.raises(DataError, match="another process is preparing it"),
    ):
        pack(job(), tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_complete_set_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = pack(job(), tmp_path / "out", workers=1)
    before = manifest_hash(out), (out / "even.npy").stat().st_mtime_ns
    pack(job(), out, workers=1)
    assert (manifest_hash(out), (out / "even.npy").stat().st_mtime_ns) == before
    assert "is complete: nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"settings": {"size": 4}}, "settings.size: 3 there, 4 wanted"),
        ({"protocol": "released"}, "protocol: 'paper' there, 'released' wanted"),
        ({"source": {"files": 40, "bytes": 0, "digest": "y"}}, "source.digest: 'x' there"),
    ],
)
def test_set_made_otherwise_is_refused(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    out = pack(job(items=ITEMS[:2], index=INDEX[:2]), tmp_path / "out", workers=1)
    before = manifest_hash(out)
    with pytest.raises(DataError, match=says):
        pack(job(**changes), out, workers=1)
    assert manifest_hash(out) == before


def test_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DataError, match="found other files; choose another out"):
        pack(job(), tmp_path, workers=1)
    assert (tmp_path / "thesis.tex").exists()


def test_remains_of_other_settings_are_cleared(tmp_path: Path) -> None:
    other = tmp_path / "out.partial" / "0123456789abcdef"
    other.mkdir(parents=True)
    pack(job(items=ITEMS[:2], index=INDEX[:2]), tmp_path / "out", workers=1)
    assert not other.exists()


def test_every_sample_dropped(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="every sample was dropped, the first one because broken"):
        pack(job(work=refuse), tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_no_sample(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no sample is left to pack \(s1: no sound\)"):
        pack(job(items=[], index=[], dropped={"s1": "no sound"}), tmp_path / "out", workers=1)


def test_disk_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(DataError, match=r"GB of free disk space, found 0\.0 GB"):
        pack(job(), tmp_path / "out", workers=1)


def ragged(item: int) -> Prepared:
    return Prepared({"rows": np.full((2, item % 7, 3), item, np.int16), "number": np.array(item)})


def test_arrays_of_several_sizes_are_padded_to_the_largest(tmp_path: Path) -> None:
    """Within a chunk and between chunks: the first one has up to six rows, the last one five."""
    items = [*range(20), *range(35, 41)]
    rows = [{"id": f"s{item}"} for item in items]
    out = pack(job(work=ragged, items=items, index=rows), tmp_path / "out", workers=2)
    assert np.load(out / "number.npy").tolist() == items
    found = np.load(out / "rows.npy")
    assert (found.shape, found.dtype) == ((26, 2, 6, 3), np.int16)
    for item, array in zip(items, found, strict=True):
        assert (array[:, : item % 7] == item).all()
        assert not array[:, item % 7 :].any()


def test_nothing_of_others_is_removed(tmp_path: Path) -> None:
    """Whatever lies beside the work in progress stays there."""
    partial = tmp_path / "out.partial"
    for name in ("mine", "fedcba9876543210"):
        (partial / name).mkdir(parents=True)
        (partial / name / "a").touch()
    (partial / "notes.txt").touch()
    pack(job(), tmp_path / "out", workers=1)
    assert sorted(path.name for path in partial.iterdir()) == ["mine", "notes.txt"]
