import io

import numpy as np
import pytest
from rich.console import Console

from datamodules.formats.skeleton import read_skeleton
from scripts.benchmark import main
from scripts.benchmarks import ntu


def test_it_runs_and_both_readers_agree(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ntu, "BODIES", 3)
    out = io.StringIO()
    monkeypatch.setattr(ntu, "Console", lambda: Console(file=out, width=100))
    main(["ntu", "frames=40", "picture=[64,48]", "rounds=1"])
    for words in ("line by line", "all decoded and converted", "prepared: 32 of 128x128"):
        assert words in out.getvalue()
    path = tmp_path_factory.mktemp("ntu") / "a.skeleton"
    ntu.write_skeleton(path, 3)
    plain = [joints for frame in ntu.read_plain(path) for joints in frame]
    assert np.array_equal(read_skeleton(path).joints, plain)
