"""`scripts/prepare.py` as a user types it, and what becomes of it when it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from datamodules.packed.dataset import manifest_hash, read_manifest
from tests.datamodules.tiny_bert import tiny_bert
from tests.sample_data import session_folder, tiny_ravdess

ROOT = Path(__file__).parents[2]
TINY = ("prepare.settings.frames=4", "prepare.settings.size=24")


def start(*words: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "HYDRA_FULL_ERROR"}
    return subprocess.Popen(
        [sys.executable, "scripts/prepare.py", *words],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C then reaches it and its workers, but not the tests
    )


def run(*words: str) -> tuple[int, str, str]:
    process = start(*words)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_ravdess(session_folder(tmp_path_factory))


def test_help_explains_itself() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for word in ("raw=<folder>", "protocol", "action_units", "workers", "folds", "continues"):
        assert word in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "raw=<folder> is missing"),
        (("raw=nowhere",), "error: nowhere: expected a folder with RAVDESS files"),
        (("raw=docs",), "error: docs: expected RAVDESS speech files"),
        (
            ("raw=nowhere", "action_units=none.csv"),
            "error: none.csv: expected a table of action units",
        ),
        (("raw=nowhere", "task=cats"), "error: task=cats: no such task; there are"),
        (("raw=nowhere", "protocl=paper"), "protocl: no such key, did you mean protocol?"),
        (("raw=nowhere", "workers=abc"), "error: workers=abc: expected a whole number"),
        (("raw=nowhere", "workers=0"), "error: workers=0: expected a whole number"),
        (("raw=nowhere", "folds=mine.json"), "folds=mine.json: task=ravdess has no use for it"),
        (("raw=nowhere", "prepare.settings.frames=abc"), "error: frames=abc: expected a whole"),
        (("raw=2024", "task=mosei"), "error: 2024: expected a folder with .csd files"),
        (("raw=docs", "task=mosei", "prepare.settings.alignment=no"), "expected word or label"),
        (("raw=data (1)",), "quote it twice: 'raw=\"data (1)\"'"),
        (("raw=v=1",), "quote it twice: 'raw=\"v=1\"'"),
        (('raw="data (1)"',), "error: data (1): expected a folder with RAVDESS files"),
    ],
)
def test_what_cannot_work_ends_with_one_message(words: tuple[str, ...], says: str) -> None:
    code, _, err = run(*words)
    assert code != 0
    assert says in err
    assert "Traceback" not in err


def test_killed_and_run_again(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    raw, undisturbed = tiny
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    command = ("task=ravdess", f"raw={raw}", f"out={out}", "workers=1", *TINY)
    process = start(*command)
    wait_for(lambda: any(partial.glob("*/chunk-*.json")) or process.poll() is not None)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert workers
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    process.communicate()

    code, said, err = run(*command)
    assert code == 0, err
    assert "continuing an earlier call" in said
    assert manifest_hash(out) == manifest_hash(undisturbed)
    for path in undisturbed.glob("*.npy"):
        assert (out / path.name).read_bytes() == path.read_bytes()
    assert not partial.exists()

    code, said, _ = run(*command)
    assert code == 0
    assert "is complete: nothing to do" in said
    code, _, err = run(*command, "protocol=released")
    assert code != 0
    assert "protocol: 'paper' there, 'released' wanted" in err
    assert "Traceback" not in err


def test_ctrl_c(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    process = start("task=ravdess", f"raw={tiny[0]}", f"out={out}", "workers=1", *TINY)
    wait_for(partial.is_dir)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert "interrupted: the same command continues where it was" in err
    assert "Traceback" not in err
    assert not out.exists()


def test_a_packed_set_is_verified(tiny: tuple[Path, Path]) -> None:
    code, out, err = run(f"out={tiny[1]}", "verify=true")
    assert (code, err) == (0, "")
    assert "are what manifest.json says" in out
    code, _, err = run(f"out={tiny[1]}", "verify=true", "workers=2")
    assert code == 1
    assert err == "error: workers=2: verify=true packs nothing and has no use for it\n"


def test_two_want_the_same_folder(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    with FileLock(tmp_path / "out.lock"):
        code, _, err = run(f"raw={tiny[0]}", f"out={tmp_path / 'out'}", *TINY)
    assert code != 0
    assert "another process is preparing it" in err
    assert "Traceback" not in err


def test_truncated_clip_is_dropped_not_fatal(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for clip in ("01-01-01-01-01-01-01", "01-01-02-01-01-01-01"):
        for suffix in (".mp4", ".csv"):
            shutil.copy(tiny[0] / "Actor_01" / (clip + suffix), raw)
    broken = raw / "01-01-01-01-01-01-01.mp4"
    broken.write_bytes(broken.read_bytes()[:5000])
    code, said, err = run(f"raw={raw}", f"out={tmp_path / 'out'}", *TINY)
    assert code == 0, err
    assert "1 packed, 1 dropped" in said
    assert "01-01-01-01-01-01-01.mp4: expected at least" in said
    assert "found 5000: it is cut off; fetch it again" in said


def test_mosei(tmp_path: Path) -> None:
    encoder, table = tiny_bert(tmp_path / "tiny"), tmp_path / "label.csv"
    rows = ["v,1,good day,2,train", "w,1,bad day,-1,valid"]
    table.write_text("\n".join(["video_id,clip_id,text,label,mode", *rows]))
    command = ("task=mosei", f"raw={table}", f"out={tmp_path / 'out'}", f"text_encoder={encoder}")
    code, said, err = run(*command, "workers=1")
    assert code == 0, err
    assert "1 train, 1 valid, 0 test" in said
    assert read_manifest(tmp_path / "out")["settings"]["text_padding"] == "zero"
    (encoder / "model.safetensors").unlink()
    code, _, err = run(*command, "protocol=released")
    assert code == 1
    assert "error: " in err
    assert "found no weights" in err
    assert "Traceback" not in err
