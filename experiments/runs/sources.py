"""The code that a figure stands on: which sources made it, and which commit that was."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The code that can alter a result; what reads finished runs cannot.
SOURCES = ("msaf", "models", "datamodules", "experiments/runs")


@cache
def sources_hash(root: Path = ROOT) -> str:
    """Return the sha256 over names and bytes of all Python files that can alter a result.

    Args:
        root: of the checkout; read once in a process, so that an edit while a long sweep runs
            does not pass for the code that runs.
    """
    found = hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((root / folder).rglob("*.py")):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            found.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return found.hexdigest()


@cache
def commit(root: Path = ROOT) -> str | None:
    """Return the commit that is checked out, with `-dirty` behind it where files differ from it.

    For information alone: `None` where there is no git, or no checkout.
    """
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
