"""Rows of arrays on disk: which bytes the system is told of before a batch is read."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.packed.rows import PackedRows, RowsOnDisk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "video.npy"
    np.save(path, np.arange(7 * 5 * 3, dtype=np.int16).reshape(7, 5, 3))
    return path


def test_the_bytes_that_are_announced_are_those_of_the_rows(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(
        os, "posix_fadvise", lambda fd, start, size, advice: told.append((start, size))
    )
    array = np.asarray(np.load(file, mmap_mode="r"))
    rows = PackedRows({"video": array}, np.zeros(7, np.int64), seed=0)
    batch = rows.__getitems__([(6, 0), (2, 0)])
    found = [file.read_bytes()[start : start + size] for start, size in told]
    assert found == [array[6].tobytes(), array[2].tobytes()]
    assert torch.equal(batch["video"], torch.from_numpy(np.load(file)[[6, 2]]))


def test_only_whole_arrays_on_disk_are_announced(file: Path) -> None:
    mapped = np.load(file, mmap_mode="r")
    assert RowsOnDisk.of(mapped) is not None and RowsOnDisk.of(np.asarray(mapped)) is not None
    for other in (np.load(file), mapped[1:], mapped[::-1], mapped[:, :2], np.array(mapped)):
        assert RowsOnDisk.of(np.asarray(other)) is None


def test_an_open_file_goes_to_no_other_process(file: Path) -> None:
    rows = RowsOnDisk.of(np.load(file, mmap_mode="r"))
    assert rows is not None
    rows.announce(np.array([3]))
    pickle.loads(pickle.dumps(rows)).announce(np.array([0, 6]))
