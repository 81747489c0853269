"""A released checkpoint -> a run folder: `python scripts/convert.py in=<file> out=<folder>`."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import nn

from experiments.conversion.marks import RULE, UNMEASURED, run_hash
from experiments.conversion.networks import Released, recognise
from experiments.conversion.read import Checkpoint, read_checkpoint
from experiments.conversion.sizes import Settings
from experiments.conversion.transfer import transferred
from experiments.files import usable_folder, write_with
from experiments.runs.complexity import count_parameters
from experiments.runs.compose import build, check, compose
from experiments.runs.folder import Metrics, RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.sources import commit, sources_hash

KEYS = ("in", "out", "task", "fold")
NUMBERED_FOLD = re.compile(r"fold_?(\d+)", re.IGNORECASE)  # from 1, in the names of RAVDESS' files


@dataclass(frozen=True)
class Converted:
    """What a conversion made.

    Args:
        folder: of the run.
        released: the network.
        metrics: what the run says of itself.
        tensors: how many of the file were placed.
    """

    folder: RunFolder
    released: Released
    metrics: Metrics
    tensors: int


def convert(overrides: Overrides) -> Converted:
    """Turn a released checkpoint into a run folder, which holds no figures yet.

    Args:
        overrides: `in`, `out`, and maybe `task` and `fold`. Hydra has to be initialised.

    Raises:
        RunError: if a value is missing or wrong, the file is none, of another task or not exactly
            one of the released networks, or the folder holds something already.
    """
    overrides.refuse_others(*KEYS)
    for key in ("in", "out"):
        if overrides.value(key) is None:
            raise RunError(f"{key}=<{'file' if key == 'in' else 'run folder'}> is missing (--help)")
    folder = _free_folder(Path(str(overrides.value("out"))))
    checkpoint = read_checkpoint(Path(str(overrides.value("in"))))
    released = recognise(checkpoint)
    wanted = overrides.value("task", released.task)
    if wanted != released.task:
        raise RunError(
            f"task={wanted}: {checkpoint.file} is {released.title}, task={released.task}: give "
            "that, or another file"
        )
    cfg = _configuration(released, checkpoint, overrides)
    network = _network(cfg, released, checkpoint)
    metrics = _metrics(cfg, checkpoint, released, network)
    with _beside(folder) as place:
        run = RunFolder(place)
        run.begin(OmegaConf.to_yaml(cfg, resolve=True))
        write_with(run.weights(RULE), lambda path: torch.save(network.state_dict(), path))
        run.finish(metrics)
    return Converted(RunFolder(folder), released, metrics, len(checkpoint.tensors))


def _configuration(released: Released, checkpoint: Checkpoint, overrides: Overrides) -> DictConfig:
    """Compose what builds the released network, as released."""
    settings = _settings(released, checkpoint)
    fold = overrides.value("fold")
    if released.task == "ravdess" and fold is None:
        fold = _numbered_fold(checkpoint.file)
    settings |= {} if fold is None else {"fold": fold}
    fixed = ["protocol=released", "data=full", "data.root=none", "seed=0"]
    cfg = compose(Overrides([*fixed, *(f"{key}={value}" for key, value in settings.items())]))
    check(cfg)
    with open_dict(cfg):
        cfg.reporting = {RULE: {"split": released.selected_on}}
    return cfg


def _settings(released: Released, checkpoint: Checkpoint) -> Settings:
    try:
        return released.settings(checkpoint)
    except RunError:
        raise
    except (ValueError, ArithmeticError):  # fewer axes than such a tensor has, or none of its size
        raise RunError(
            f"{checkpoint.file}: expected the tensors of {released.title}, found the names, but "
            "not the shapes: take the file that the authors released"
        ) from None


def _network(cfg: DictConfig, released: Released, checkpoint: Checkpoint) -> nn.Module:
    try:
        network: nn.Module = build(cfg.network)
    except RunError as error:
        raise RunError(
            f"{checkpoint.file}: {released.title} cannot have these sizes: {error}"
        ) from None
    network.load_state_dict(transferred(checkpoint, released, network.state_dict()))
    return network


def _numbered_fold(file: Path) -> int:
    """Return the fold that the name of a file says: the network has seen the actors of all others.

    Raises:
        RunError: if it says none.
    """
    found = NUMBERED_FOLD.search(file.name)
    if found is None or int(found[1]) < 1:
        raise RunError(
            f"fold=<0 to 5> is missing: {file.name} does not say, as fold_1_... does, which actors "
            "the network was not trained on; fold_1 is fold=0"
        )
    return int(found[1]) - 1


def _metrics(cfg: DictConfig, checkpoint: Checkpoint, released: Released, network: Any) -> Metrics:
    """Return what a converted run says of itself: all but figures, which nobody has measured."""
    classes = build(cfg.datamodule).classes
    epoch = checkpoint.epoch
    return {
        "hash": run_hash(cfg, released.title),
        "task": cfg.task.name,
        "fusion": cfg.fusion.name,
        "modalities": list(cfg.modalities),
        "protocol": cfg.protocol.name,
        "data": cfg.data.name,
        "provenance": UNMEASURED,
        "classes": list(classes) if classes and len(classes) == cfg.task.outputs else None,
        "manifest": "",
        "fold": cfg.fold,
        "seed": cfg.seed,
        "epochs": None,
        "starts_from": None,
        "headline": RULE,
        "reported": {RULE: {"epoch": None if epoch is None else epoch - 1}},
        "parameters": count_parameters(network),
        "converted": {
            "network": released.title,
            "file": checkpoint.file.name,
            "sha256": checkpoint.sha256,
        },
        "sources": sources_hash(),
        "commit": commit(),
    }


def _free_folder(folder: Path) -> Path:
    """Return a folder that is not there yet, or empty.

    Raises:
        RunError: if it holds anything.
    """
    usable_folder(folder, "out")
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if held:
        raise RunError(
            f"out={folder}: expected a new folder, or an empty one, found {', '.join(held[:4])}"
            " in it: choose another, nothing was changed"
        )
    return folder


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to write to; it becomes `folder` once it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield place
        place.chmod(0o755)  # mkdtemp's is its owner's alone
        if folder.is_dir():
            folder.rmdir()
        place.replace(folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
