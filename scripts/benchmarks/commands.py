"""What a user waits for: the processor seconds of whole commands, in processes of their own."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.registry import CommandsOptions

ROOT = Path(__file__).resolve().parents[2]
# What counts a MOSEI run's FLOPs, after the imports, whose seconds are not the count's.
FLOPS = """
import hydra, time, torch
from experiments.runs.complexity import count_flops
from experiments.runs.compose import build, compose
from experiments.runs.overrides import Overrides
with hydra.initialize_config_dir({configs!r}, version_base="1.3"):
    cfg = compose(Overrides(["task=mosei", "fusion=msaf"]))
build(cfg.network)
begin = time.process_time()
count_flops(lambda: build(cfg.network), {{m: list(cfg.task.shapes[m]) for m in cfg.modalities}})
print(time.process_time() - begin)
"""


def run(options: CommandsOptions, console: Console | None = None) -> None:
    """Run every command in turn, in this checkout and the other one, and print the medians."""
    checkouts = {"here": ROOT}
    if options.against:
        checkouts = {"against": Path(options.against).resolve(), **checkouts}
    with tempfile.TemporaryDirectory() as out:
        commands = commands_of(options, Path(out))
        seconds: dict[tuple[str, str], list[float]] = {}
        for _ in range(options.rounds):
            for name, command in commands.items():
                for way, checkout in checkouts.items():
                    passed = processor_seconds(command, checkout)
                    seconds.setdefault((name, way), []).append(passed)
    title = f"{date.today()}, processor seconds, median of {options.rounds}"
    table = Table("command", title=title, title_justify="left")
    for way in checkouts:
        table.add_column(way, justify="right")
    for name in commands:
        table.add_row(name, *(f"{statistics.median(seconds[name, way]):.2f}" for way in checkouts))
    console = console or Console()
    console.print(table)
    counted = statistics.median(count_seconds() for _ in range(options.rounds))
    console.print(f"FLOPs of a run of MSAF on MOSEI, counted once a choice: {counted:.2f}")


def commands_of(options: CommandsOptions, out: Path) -> dict[str, list[str]]:
    """Return the arguments of each command by what it is called."""
    commands = {
        f"reproduce.py table={table} dry_run=true": [
            "scripts/reproduce.py", f"table={table}", "dry_run=true", f"results={out}"
        ]
        for table in options.tables
    }  # fmt: skip
    if options.run:
        run = Path(options.run).resolve()
        commands["evaluate.py"] = ["evaluate.py", f"run={run}", f"out={out}"]
    return commands


def processor_seconds(arguments: Sequence[str], checkout: Path) -> float:
    """Return the seconds that a command keeps a processor busy, whatever else the machine does.

    Raises:
        ValueError: if the command fails; it ends with what the command said.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=checkout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise ValueError(f"{' '.join(arguments)} in {checkout} failed: {said}")
    return usage.ru_utime + usage.ru_stime


def count_seconds() -> float:
    """Return the seconds of counting the FLOPs of a run of MSAF on MOSEI once."""
    code = FLOPS.format(configs=str(ROOT / "configs"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return float(done.stdout)
