"""`train.py` as a user types it: end to end, wrong overrides, sweeps, Ctrl-C, kill, two jobs."""

import csv
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands import ROOT, end, run, start, tiny


def runs_below(place: Path) -> list[Path]:
    return sorted(file.parent for file in place.rglob("metrics.json"))


def lasting(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], list[dict[str, str]]]:
    """Read all that a run leaves behind, without what the clock put there."""
    metrics = json.loads((folder / "metrics.json").read_text())
    with (folder / "log.csv").open() as file:
        log = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    metrics = {k: v for k, v in metrics.items() if k not in ("seconds", "finished")}
    return metrics, dict(np.load(folder / "predictions.npz")), log


def test_a_fusion_run_ends_with_a_table_and_its_folder(tmp_path: Path) -> None:
    code, out, err = run("train.py", *tiny(tmp_path, "fusion=msaf", "progress=true"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    folder = Path(lines[-1])
    assert folder in runs_below(tmp_path) and len(runs_below(tmp_path)) == 3
    table = lines[next(i for i, line in enumerate(lines) if "accuracy on test" in line) :]
    assert table[0] == "ravdess, fold 0, seed 1: accuracy on test (sample data)"
    assert max(map(len, table[:-1])) <= 80  # no terminal: 80 columns
    metrics = json.loads((folder / "metrics.json").read_text())
    figures = [metrics["reported"][rule]["test"]["accuracy"] for rule in metrics["reported"]]
    row = next(line.split() for line in table if line.startswith("msaf (audio + action_units)"))
    assert row[-3:] == [f"{metrics['parameters']['total']:,}", *(f"{f:.1f}" for f in figures)]
    assert any("paper_rule: epoch chosen on the test data" in line for line in table)
    assert "epoch 3/3" in out


def test_help_is_quick_and_names_every_group() -> None:
    code, out, err = end(start("train.py", "--help", python=("-X", "importtime")))
    assert code == 0
    assert not re.search(r"\b(torch|pytorch_lightning|matplotlib|numpy)\b", err)
    for group in ("task", "fusion", "data", "protocol", "trainer", "logger"):
        assert re.search(rf"\b{group}  +\w", out), group
    assert "task_fusion" not in out
    for file in (ROOT / "configs" / "fusion").glob("*.yaml"):
        assert re.search(rf"\b{file.stem}\b", out), file.stem
    assert "fold, seed" in out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["fusion=msfa"], r"fusion=msfa: no such fusion; there are .*msaf.*sum"),
        (["trainer=gpus"], r"trainer=gpus: no such trainer; there are cpu, ddp, default, gpu"),
        (["epcohs=3"], r"epcohs: no such key, did you mean epochs\?.*batch_size"),
        (["training.optimizer.lrr=1"], r"training.optimizer.lrr: no such key, did you mean lr\?"),
        (["task=ntu", "points=[middle]"], r"middle: no such choice; there are early, inter.*"),
        (["fold=[0"], r"fold=\[0: no viable alternative"),
    ],
)
def test_wrong_words_end_in_one_message(overrides: list[str], message: str) -> None:
    code, out, err = run("train.py", *overrides)
    assert code == 1 and out == ""
    assert re.fullmatch(rf"error: {message}.*\n", err), err


def wait_for(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 120
    while not reached():
        assert process.poll() is None, end(process)
        assert time.perf_counter() < deadline
        time.sleep(0.01)


EPOCHS = 15
INTERRUPTED = ["fusion=msaf", "init=scratch", f"epochs={EPOCHS}"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was left in peace."""
    folder = tmp_path_factory.mktemp("peace")
    code, _, err = run("train.py", *tiny(folder, *INTERRUPTED))
    assert (code, err) == (0, "")
    return runs_below(folder)[0]


def checkpoint(folder: Path) -> Path | None:
    return next(folder.rglob("resume.ckpt"), None)


def test_a_killed_run_ends_as_if_nothing_had_happened(tmp_path: Path, undisturbed: Path) -> None:
    command = ["train.py", *tiny(tmp_path, *INTERRUPTED)]
    process = start(*command)
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    process.kill()
    assert end(process)[0] == -signal.SIGKILL
    assert checkpoint(tmp_path) is not None and not runs_below(tmp_path)
    ends_like(undisturbed, command, tmp_path)


def test_an_interrupted_run_ends_as_if_nothing_had_happened(
    tmp_path: Path, undisturbed: Path
) -> None:
    """Before Ctrl-C the run sleeps for a while, and another job may not enter its folder."""
    command = ["train.py", *tiny(tmp_path, *INTERRUPTED)]
    process = start(*command)
    wait_for(process, lambda: checkpoint(tmp_path) is not None)
    process.send_signal(signal.SIGSTOP)
    code, _, err = run(*command)
    assert code == 1
    assert re.fullmatch(r"error: another job is working in \S+: wait for it, .*\n", err), err
    process.send_signal(signal.SIGINT)  # it waits until the process goes on
    process.send_signal(signal.SIGCONT)
    code, _, err = end(process)
    assert code == 130
    assert err == "interrupted: the same command goes on from the last complete epoch\n"
    assert checkpoint(tmp_path) is not None and not runs_below(tmp_path)
    ends_like(undisturbed, command, tmp_path)


def ends_like(whole: Path, command: list[str], folder: Path) -> None:
    """The same command goes on, and what it leaves is the other run's to the last digit."""
    code, out, err = run(*command)
    assert (code, err) == (0, "")
    (continued,) = runs_below(folder)
    assert out.splitlines()[-1] == str(continued)
    metrics, predictions, log = lasting(whole)
    metrics_after, predictions_after, log_after = lasting(continued)
    assert len(log) == EPOCHS and log_after == log
    assert metrics_after == metrics
    assert predictions.keys() == predictions_after.keys()
    assert all(np.array_equal(predictions[key], predictions_after[key]) for key in predictions)
