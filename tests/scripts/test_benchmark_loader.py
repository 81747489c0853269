"""The loader's benchmark at a tiny size: every way is measured, also from a cold disk."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from scripts.benchmarks import loader
from scripts.benchmarks.registry import LoaderOptions


@pytest.mark.parametrize("forgets", [True, False])
def test_every_way_has_a_row(forgets: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is memory forgets nothing, and then no row is called cold."""
    asked: list[Path] = []
    monkeypatch.setattr(loader, "forget", lambda path: asked.append(path) or forgets)
    out = io.StringIO()
    options = LoaderOptions(clips=2, frames=2, size=32, rounds=1)
    loader.run(options, Console(file=out, width=100))
    lines = re.findall(r"^│ (\S.*?) +│ +([\d.]+) │", out.getvalue(), re.MULTILINE)
    cold = ["cold disk, rows announced", "cold disk, read as they fault"]
    assert len(lines) == (5 if forgets else 3)
    assert [name for name, _ in lines][3:] == (cold if forgets else [])
    assert all(np.isfinite(float(rate)) and float(rate) > 0 for _, rate in lines)
    assert len(asked) == (2 * loader.COLD_ROUNDS if forgets else 1)
