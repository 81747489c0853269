"""The folder of a run: one place, one owner at a time, complete once its metrics exist."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments.files import write_json, write_text
from experiments.runs.errors import RunError
from experiments.runs.sources import sources_hash
from experiments.runs.written import (
    WrittenConfig,
    WrittenMetrics,
    WrittenRules,
    read_json,
    read_yaml,
)

Metrics = dict[str, Any]
"""What metrics.json says of a run."""
RERUN = ".rerun"  # a folder in a run's own


@dataclass(frozen=True)
class RunFolder:
    """`results/<task>/<data>/<fusion>/<variant>/fold<k>/seed<s>`.

    Files: `config.yaml`, `log.csv`, `predictions.npz`, `checkpoints/`, and `metrics.json`, which
    is written last: a run is complete if and only if that file exists.
    """

    path: Path

    @property
    def complete(self) -> bool:
        return (self.path / "metrics.json").is_file()

    @property
    def outdated(self) -> bool:
        """Say whether the run is complete, and not known to be made by these very sources."""
        try:
            return self.complete and self.metrics().get("sources") != sources_hash()
        except RunError:  # cannot be read; whoever needs the figures is told why
            return True

    @property
    def rerun(self) -> "RunFolder":
        """Return where a complete run is made once more, beside its own files."""
        return RunFolder(self.path / RERUN)

    def adopt_rerun(self) -> None:
        """Put a complete rerun in the place of the run before; a second call ends a killed one."""
        fresh = self.rerun
        if not fresh.complete:
            return
        (self.path / "metrics.json").unlink(missing_ok=True)  # incomplete until the last move
        for entry in sorted(fresh.path.iterdir(), key=lambda entry: entry.name == "metrics.json"):
            before = self.path / entry.name
            if before.is_dir():
                shutil.rmtree(before)
            entry.replace(before)
        fresh.path.rmdir()

    @property
    def resume_checkpoints(self) -> tuple[Path, Path]:
        """Return what an incomplete run goes on from: its last epoch, and the one before."""
        folder = self.path / "checkpoints"
        return folder / "resume.ckpt", folder / "resume.before.ckpt"

    def weights(self, rule: str) -> Path:
        """Return where the weights chosen by a reporting rule are kept."""
        return self.path / "checkpoints" / f"{rule}.pt"

    def metrics(self) -> Metrics:
        """Read the metrics of a complete run.

        Raises:
            RunError: if the run is not complete, or the file cannot be read.
        """
        file = self.path / "metrics.json"
        if not file.exists():
            raise RunError(
                f"{self.path} holds no complete run (no metrics.json): run its train command again"
            )
        return read_json(file, WrittenMetrics)

    def config(self) -> dict[str, Any]:
        """Read the configuration that the run was made with, as plain containers.

        Raises:
            RunError: if there is none, or it cannot be read.
        """
        return read_yaml(self.path / "config.yaml", WrittenConfig)

    def reporting(self) -> dict[str, Any]:
        """Return how each reporting rule was configured; nothing where that is not known."""
        try:
            return read_yaml(self.path / "config.yaml", WrittenRules)["reporting"]
        except RunError:  # cannot be read; whoever needs the network is told why
            return {}

    def begin(self, config: str) -> None:
        """Create the folder and write down the configuration."""
        write_text(self.path / "config.yaml", config)

    def finish(self, metrics: Metrics) -> None:
        """Write the metrics, which makes the run complete, and drop what only a resume needs."""
        write_json(self.path / "metrics.json", metrics)
        for file in self.resume_checkpoints:
            file.unlink(missing_ok=True)

    @contextmanager
    def locked(self, *, wait: bool) -> Iterator[None]:
        """Keep every other job out of the folder.

        Args:
            wait: wait for another job to end, rather than refuse.

        Raises:
            RunError: if another job holds the folder and `wait` is false.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise RunError(
                f"another job is working in {self.path}: wait for it, or take another fold or seed"
            ) from None
        begun = (self.path / "config.yaml").exists()
        try:
            yield
        except Exception:
            if not begun:
                self._forget()
            raise
        finally:
            lock.release()

    def _forget(self) -> None:
        """Leave nothing of a run that failed before its first epoch was saved."""
        if any(self.path.rglob("*.ckpt")) or self.complete:
            return
        for name in ("config.yaml", "log.csv", ".lock"):
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):  # the first that holds something else stays, and those above it
            for folder in (self.path, *list(self.path.parents)[:5]):
                folder.rmdir()
