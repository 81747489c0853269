"""Tables know the code that made their runs; planning one writes nothing at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.console import console
from experiments.runs.sources import sources_hash
from tests.commands import ENVIRONMENT, ROOT
from tests.experiments.small_table import TABLE, configs_with, fill

ROWS = TABLE[: TABLE.index("  - {name: sum")].replace("reference: MSAF", "reference: audio")
FEW = ("table=small", "folds=[0]", "seeds=[1]", "epochs=1")


def made_by(place: Path, row: str, sources: str) -> Path:
    """Write into a row's run which sources made it; return its metrics."""
    (file,) = place.glob(f"results/ravdess/full/none/{row}-*/fold0/seed1/metrics.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sources": sources}))
    return file


def test_a_table_of_mixed_sources_says_so_and_rerun_makes_the_outdated_runs_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs_with(tmp_path, small=ROWS)
    assert fill(tmp_path, *FEW) == 0
    text = tmp_path / "results" / "tablesmall.md"
    assert f"sources {sources_hash()[:8]}." in text.read_text()
    old, new = (
        made_by(tmp_path, "audio", "f" * 64),
        made_by(tmp_path, "action_units", sources_hash()),
    )
    untouched = new.stat().st_mtime_ns

    assert fill(tmp_path, *FEW) == 0
    both = ", ".join(sorted([sources_hash()[:8], "f" * 8]))
    assert f"**runs of mixed sources**: {both} (rerun=true makes them again)" in text.read_text()
    provenance = json.loads(text.with_suffix(".json").read_text())["provenance"]
    assert provenance["sources"] == sorted([sources_hash(), "f" * 64])

    with console.capture() as capture:
        assert fill(tmp_path, *FEW, "dry_run=true", "rerun=true") == 0
    listed = capture.get().splitlines()
    assert [line.split()[0] for line in listed[:2]] == ["outdated", "complete"]
    assert listed[2] == "1 of 2 runs complete"

    assert fill(tmp_path, *FEW, "rerun=true") == 0
    assert json.loads(old.read_text())["sources"] == sources_hash()
    assert new.stat().st_mtime_ns == untouched
    assert f"sources {sources_hash()[:8]}." in text.read_text()
    assert "rerun" not in text.read_text()


WATCH = """
import os, sys

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str | bytes):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if writes and not os.fspath(arguments[0]).startswith("/dev/"):
            raise RuntimeError(f"opened to write: {arguments[0]}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.symlink",
                   "os.link", "os.chmod", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp"):
        raise RuntimeError(f"{event}: {arguments}")

from scripts.reproduce import main
import experiments.tables.reproduce
from datamodules import MOSEI, NTU, RAVDESS
sys.addaudithook(watch)
for table in sys.argv[1:]:
    assert main([f"table={table}", "dry_run=true"]) == 0
"""


def test_a_dry_run_writes_nothing_anywhere(tmp_path: Path) -> None:
    """In a fresh folder, where no sample has been rendered, and as on a read-only disk.

    A table of each task. The third has six rows, and a run of each modality that they start from.
    """
    environment = ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, "1", "text", "4_ntu"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    totals = [line for line in lines if not line.startswith("missing")]
    assert totals == [f"0 of {runs} runs complete" for runs in (96, 3, 8)]
    assert len(lines) == 96 + 3 + 8 + 3
    assert not list(tmp_path.iterdir())


def test_the_watch_would_see_a_file_and_a_folder(tmp_path: Path) -> None:
    for statement in (f"open({str(tmp_path / 'x')!r}, 'w')", f"os.mkdir({str(tmp_path / 'y')!r})"):
        code = WATCH.rpartition("for table")[0] + statement
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 1 and "RuntimeError" in done.stderr
    assert not list(tmp_path.iterdir())
