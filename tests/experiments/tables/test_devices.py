"""GPUs are dealt out over processes: made-up ones, by their numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.tables import devices
from experiments.tables.devices import CHOSEN, SHARED, hold_device, sharing_devices, take_device

HOLD = """
import sys, pathlib
from experiments.tables.devices import hold_device
print(hold_device(sys.argv[2:], pathlib.Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), "2", "5"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_devices_are_dealt_in_turn_and_one_that_is_left_is_taken_again(tmp_path: Path) -> None:
    holders = [holder(tmp_path) for _ in range(4)]
    assert [device for _, device in holders] == ["2", "5", "2", "5"]
    holders[1][0].kill()  # no time to tidy up
    holders[1][0].wait()
    assert hold_device(["2", "5"], tmp_path) == "5"
    for process, _ in holders:
        process.kill()
        process.wait()


def test_a_process_takes_one_device_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "lock_folder", lambda: tmp_path)
    monkeypatch.setenv(CHOSEN, "3, GPU-8f")
    with sharing_devices():
        assert os.environ[SHARED] == "3,GPU-8f"
        take_device()
        assert os.environ[CHOSEN] == "3"
        take_device()
        assert os.environ[CHOSEN] == "3"
    assert SHARED not in os.environ


@pytest.mark.parametrize("chosen", ["", "1"])
def test_one_device_or_none_is_left_alone(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOSEN, chosen)
    with sharing_devices():
        assert SHARED not in os.environ
        take_device()
    assert os.environ[CHOSEN] == chosen
