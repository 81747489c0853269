import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from datamodules.formats.csd import CsdFile
from scripts.benchmarks import csd
from scripts.benchmarks.registry import CsdOptions


def test_both_ways_read_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csd"
    csd.write_covarep(path, 2)
    assert path.stat().st_size >= 2 * csd.BYTES
    assert csd.read_with_csd_file(path) == csd.read_with_h5py(path) == 2 * csd.ROWS
    with CsdFile(path) as file:
        assert file.columns == 74
        first, second = (file.features(video) for video in file.videos)
        assert np.array_equal(np.roll(first, 1, axis=0), second)
    seconds, memory = csd.in_a_process("CsdFile", path, 2)
    assert seconds > 0
    assert csd.BYTES / 1e6 < memory < 1000
    with pytest.raises(RuntimeError, match=r"CsdFile read 24000 rows of 36000"):
        csd.in_a_process("CsdFile", path, 3)
    with pytest.raises(subprocess.CalledProcessError):
        csd.in_a_process("plain h5py", tmp_path / "none.csd", 1)


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pass is left out, the median counts, and the most memory of all passes."""
    milliseconds = iter([9, 9, 1, 4, 5, 2, 3, 2])  # in turn, every second round backwards
    monkeypatch.setattr(csd, "in_a_process", lambda *_: (next(milliseconds) / 1000, 50.0))
    console = Console(file=io.StringIO(), width=100)
    csd.run(CsdOptions(gigabytes=0.001, folder=str(tmp_path), rounds=3), console)
    lines = console.file.getvalue().splitlines()
    for way, median in (("CsdFile", 2), ("plain h5py", 4)):
        (line,) = [line for line in lines if way in line]
        assert line.split()[-4:-1:2] == [f"{csd.BYTES / 1000 / median:.0f}", "50"]
    assert not list(tmp_path.iterdir())
