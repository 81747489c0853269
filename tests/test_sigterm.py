"""SIGTERM, as clusters send it, on real processes: exit status 143, one line, nothing lost."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.commands import end, start, tiny
from tests.test_ddp import DDP
from tests.test_train_command import checkpoint, runs_below, wait_for

LAST = "terminated: the same command goes on from the last complete epoch\n"
FOLDS = ("fold=0,1", "init=scratch", "epochs=40")


def family(process: subprocess.Popen[str]) -> list[int]:
    """Return the process and all below it."""
    found = [process.pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children")
        found += map(int, children.read_text().split())
    return found


def alive(process: int) -> bool:
    """Say whether a process runs; one that has ended and was not asked for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def terminate(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Send SIGTERM to a process; return exit status and standard error when all of it has ended."""
    processes = family(process)
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    wait_for_end(processes)
    return code, err


def wait_for_end(processes: list[int]) -> None:
    """Fail if one of them still runs after a while."""
    deadline = time.perf_counter() + 20
    while left := [number for number in processes if alive(number)]:
        assert time.perf_counter() < deadline, left
        time.sleep(0.05)


def test_a_run(tmp_path: Path) -> None:
    """Where it stopped, it can go on as after Ctrl-C: tests/test_train_command.py."""
    process = start("train.py", *tiny(tmp_path, "fusion=msaf", "init=scratch", "epochs=40"))
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    assert terminate(process) == (143, LAST)
    assert checkpoint(tmp_path) is not None and not runs_below(tmp_path)


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")])
def test_a_sweep(tmp_path: Path, launcher: tuple[str, ...]) -> None:
    process = start("train.py", "-m", *tiny(tmp_path, "fusion=msaf", *FOLDS, *launcher))
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    assert terminate(process) == (143, LAST)


def test_the_process_of_one_job(tmp_path: Path) -> None:
    """A worker that gets SIGTERM by itself ends the sweep; it does not count as done."""
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = start("train.py", "-m", *tiny(tmp_path, "fusion=msaf", *FOLDS, *launcher))
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    processes = family(process)
    worker = next(
        number
        for number in processes
        if b"popen_loky" in Path(f"/proc/{number}/cmdline").read_bytes()
    )
    os.kill(worker, signal.SIGTERM)
    code, _, err = end(process)
    assert (code, err) == (143, LAST)
    wait_for_end(processes)
    assert len(runs_below(tmp_path)) < 2


@pytest.mark.slow
@pytest.mark.parametrize("all_at_once", [False, True])
def test_processes_that_train_together(tmp_path: Path, all_at_once: bool) -> None:
    overrides = tiny(tmp_path, "fusion=msaf", "init=scratch", "epochs=400", *DDP)
    process = start("train.py", *overrides)
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    processes = family(process)
    for number in processes[1:] if all_at_once else []:
        os.kill(number, signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert code == 143 and LAST in err
    wait_for_end(processes)


def below(process: subprocess.Popen[str], words: bytes) -> int | None:
    """Return a process below another one by the words of its command, if there is one."""
    for number in family(process)[1:]:
        try:
            if words in Path(f"/proc/{number}/cmdline").read_bytes():
                return number
        except FileNotFoundError:
            continue
    return None


@pytest.mark.slow
def test_a_job_of_a_cluster_before_its_time_is_up(tmp_path: Path) -> None:
    """submitit sends SIGUSR2, puts the job into the queue again, and the run goes on."""
    overrides = ("fusion=msaf", "fold=0", "init=scratch", "epochs=60")
    launcher = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=60")
    process = start("train.py", "-m", *tiny(tmp_path / "queued", *overrides, *launcher))
    wait_for(process, lambda: bool(list(tmp_path.rglob("resume.before.ckpt"))))
    job = below(process, b"submitit.core._submit")
    assert job is not None
    before = next(tmp_path.rglob("log.csv")).read_text().splitlines()
    os.kill(job, signal.SIGUSR2)
    code, _, err = end(process)
    assert (code, err) == (0, "")
    logs = "".join(log.read_text() for log in tmp_path.rglob("*_0_log.*"))
    assert logs.count("Requeued job") == 1
    assert end(start("train.py", *tiny(tmp_path / "peace", *overrides)))[0] == 0
    queued, peace = (runs_below(tmp_path / name)[0] for name in ("queued", "peace"))
    figures = [json.loads((f / "metrics.json").read_text())["reported"] for f in (queued, peace)]
    assert figures[0] == figures[1]
    there = (queued / "log.csv").read_text().splitlines()
    assert len(before) > 1 and there[: len(before) - 1] == before[:-1]  # with their very seconds
    epochs = [len((f / "log.csv").read_text().splitlines()) for f in (queued, peace)]
    assert epochs == [61, 61]
