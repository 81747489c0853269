"""The project's commands as a user types them, in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.experiments.conftest import OVERRIDES

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("HYDRA_FULL_ERROR", "COLUMNS")} | {
    "PYTHONPATH": str(ROOT)
}


def start(
    script: str,
    *overrides: str,
    python: tuple[str, ...] = (),
    environment: Mapping[str, str] = ENVIRONMENT,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *python, script, *overrides],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def run(script: str, *overrides: str) -> tuple[int, str, str]:
    return end(start(script, *overrides))


def tiny(results: Path, *overrides: str) -> list[str]:
    """Words for `train.py` that train small networks on a tiny datamodule."""
    return [*OVERRIDES, f"results={results}", *overrides]
