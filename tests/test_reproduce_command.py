"""`scripts/reproduce.py` as a user types it; and killed again and again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands import ENVIRONMENT, ROOT, end, run, start
from tests.experiments.small_table import TABLE, configs_with

FILL = "import sys, tests.experiments.small_table as t, pathlib as p;"
FILL += "sys.exit(t.fill(p.Path(sys.argv[1]), *sys.argv[2:]))"


def test_help_names_the_tables_and_is_quick() -> None:
    code, out, err = end(start("scripts/reproduce.py", "--help", python=("-X", "importtime")))
    assert code == 0 and "1_action_units" in out and "seeds" in out
    assert "torch" not in err and "hydra" not in err


def test_an_unknown_table_ends_in_one_message() -> None:
    code, out, err = run("scripts/reproduce.py", "table=17")
    assert (code, out) == (1, "")
    assert err.startswith("error: table=17: no such table; there are 1, 1_action_units")
    assert len(err.splitlines()) == 1


def content(place: Path) -> dict[str, Any]:
    return json.loads((place / "results" / "tablesmall.json").read_text())


def written(place: Path) -> set[tuple[Path, int]]:
    """All that the runs have written so far, and when."""
    files = [*place.rglob("resume.ckpt"), *place.rglob("metrics.json")]
    return {(file, file.stat().st_mtime_ns) for file in files if file.exists()}


@pytest.mark.slow
def test_killed_again_and_again_the_table_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    """SIGKILL to the command and its two workers, six times, each at a random moment of work."""
    peace, war = tmp_path / "peace", tmp_path / "war"
    overrides = ["table=small", "folds=[0]", "epochs=40"]
    for place in (peace, war):
        configs_with(place, small=TABLE)
    assert end(start(FILL, str(peace), *overrides, python=("-c",)))[0] == 0

    overrides += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    command, draw = [sys.executable, "-c", FILL, str(war), *overrides], random.Random(1)
    for _ in range(6):
        before = written(war)
        process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, start_new_session=True)
        while written(war) == before:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 1))
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)  # a group of its own, so its workers with it
        process.wait()
    assert not (war / "results" / "tablesmall.json").exists()
    assert subprocess.run(command, cwd=ROOT, env=ENVIRONMENT).returncode == 0
    assert content(war) == content(peace)
