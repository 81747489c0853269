"""The published weights that a run starts from: which files they are, and what the hash says."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from experiments.runs.folder import RunError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Published:
    """The files of published weights that a run itself starts from, by modality."""

    files: Mapping[str, Path]

    @classmethod
    def of(cls, cfg: DictConfig, *, warm: bool) -> "Published":
        """Read what a run's configuration names; a warm run starts from other runs instead."""
        named = {} if warm else cfg.task.get("published", {})
        return cls({name: Path(named[name]) for name in cfg.modalities if named.get(name)})

    @property
    def marks(self) -> dict[str, Any]:
        """Return what the hash and metrics.json say of the files; nothing if there are none."""
        marks = {name: fingerprint(path) for name, path in self.files.items()}
        return {"published": marks} if marks else {}

    def load(self, network: "nn.Module") -> list[str]:
        """Load the files and say, in a line each, what was and was not loaded.

        Raises:
            RunError: if a file does not fit.
        """
        from experiments.runs.weights import load_published  # here, because it takes torch

        return [
            f"{name} starts from {self.files[name]}: "
            + "; ".join(_told(key, names) for key, names in report.items())
            for name, report in load_published(network, self.files).items()
        ]


@cache
def fingerprint(path: Path) -> str:
    """Return the sha256 of a file of weights: another file is another run.

    Raises:
        RunError: if there is no such file.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path}: expected a file of weights, found {error.strerror}") from None


def _told(what: str, names: list[str]) -> str:
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    listed = f" ({some})" if names and what != "loaded" else ""
    return f"{len(names)} tensors {what.replace('_', ' ')}{listed}"
