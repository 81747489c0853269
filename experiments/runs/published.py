"""Published weights from a file that the user names: what of it fits, and what does not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import Tensor, nn

from experiments.runs.folder import RunError
from experiments.runs.initialise import read_weights


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

    def load(self, network: nn.Module) -> list[str]:
        """Load the files and say, in a line each, what was and was not loaded.

        Raises:
            RunError: if a file does not fit.
        """
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


def load_published(
    network: nn.Module, files: Mapping[str, Path]
) -> dict[str, dict[str, list[str]]]:
    """Start branches from published weights, such as those of Kinetics or ImageNet.

    Every tensor must fit but the head, which was trained for other classes and is loaded only if it
    has the same size; and the counters of batch norms, which old files lack.

    Args:
        network: has `branches` by modality, which know the names of their published files.
        files: by modality.

    Returns:
        For each modality `loaded`, `left_out` (in the file, not loaded) and `fresh` (not in the
        file): sorted names.

    Raises:
        RunError: if a file does not fit; nothing is loaded then.
    """
    branches: Any = getattr(network, "branches", {})
    found: dict[str, dict[str, Tensor]] = {}
    reports = {}
    for name, path in files.items():
        if name not in branches:
            raise RunError(f"{path}: this network has no {name} branch to start")
        weights = read_weights(path)  # names the file itself, where it is none of weights
        try:
            found[name] = branches[name].convert(weights)
        except ValueError as error:
            raise RunError(f"{path}, for {name}: {error}") from None
        reports[name] = _compare(branches[name].state_dict(), found[name], f"{path}, for {name}")
    for name, report in reports.items():
        fitting = {key: found[name][key] for key in report["loaded"]}
        branches[name].load_state_dict(fitting, strict=False)
    return reports


def _compare(
    wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], place: str
) -> dict[str, list[str]]:
    fits = {k for k, v in found.items() if k in wanted and v.shape == wanted[k].shape}
    missing = {key for key in wanted.keys() - found.keys() if not _may_lack(key)}
    wrong = {key for key in found.keys() - fits if not key.startswith("head.")}
    if missing or wrong:
        told = [
            f"{len(names)} {what}, such as {min(names)}"
            for what, names in (("are missing", missing), ("have no place or another shape", wrong))
            if names
        ]
        raise RunError(
            f"{place}: expected the weights of this network, found {len(fits)} of {len(wanted)} "
            f"tensors that fit; {'; '.join(told)}: give the file of the same network, at its own "
            "width"
        )
    return {
        "loaded": sorted(fits),
        "left_out": sorted(found.keys() - fits),
        "fresh": sorted(wanted.keys() - fits),
    }


def _may_lack(key: str) -> bool:
    return key.startswith("head.") or key.endswith("num_batches_tracked")


def _told(what: str, names: list[str]) -> str:
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    listed = f" ({some})" if names and what != "loaded" else ""
    return f"{len(names)} tensors {what.replace('_', ' ')}{listed}"
