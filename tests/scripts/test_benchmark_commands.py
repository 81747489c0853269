import io
from pathlib import Path

import pytest
from rich.console import Console

from scripts.benchmarks import commands
from scripts.benchmarks.registry import CommandsOptions
from tests.experiments.finished import finished_run


def test_the_seconds_of_a_process_are_those_that_it_says_itself() -> None:
    code = "import time\nwhile time.process_time() < 0.5: pass"
    assert commands.processor_seconds(["-c", code], commands.ROOT) >= 0.5
    with pytest.raises(ValueError, match=r"failed: no such thing"):
        commands.processor_seconds(["-c", "raise SystemExit('no such thing')"], commands.ROOT)


def test_each_command_is_measured_in_both_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With made-up seconds: 1, 2, 3 and so on, as the processes are started."""
    started: list[tuple[str, Path]] = []

    def seconds(arguments: list[str], checkout: Path) -> float:
        started.append((arguments[0], checkout))
        return float(len(started))

    monkeypatch.setattr(commands, "processor_seconds", seconds)
    monkeypatch.setattr(commands, "count_seconds", lambda: 1.45)
    printed = io.StringIO()
    folder = finished_run(tmp_path)
    options = CommandsOptions(run=str(folder), against=str(tmp_path), tables=(1,), rounds=3)
    commands.run(options, Console(file=printed, width=100))
    here, there = commands.ROOT, tmp_path
    assert started[:4] == [
        ("scripts/reproduce.py", there), ("scripts/reproduce.py", here),
        ("evaluate.py", there), ("evaluate.py", here),
    ]  # fmt: skip
    assert len(started) == 12
    rows = {line.split("│")[1].strip(): line.split("│")[2:4] for line in _rows(printed.getvalue())}
    assert [s.strip() for s in rows["reproduce.py table=1 dry_run=true"]] == ["5.00", "6.00"]
    assert [s.strip() for s in rows["evaluate.py"]] == ["7.00", "8.00"]
    assert printed.getvalue().splitlines()[-1].endswith("counted once a choice: 1.45")


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│")]
