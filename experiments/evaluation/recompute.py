"""A run's predictions made once more from its weights: are they the ones that were written?"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from experiments.console import quieten
from experiments.evaluation.finished import FinishedRun
from experiments.runs.compose import build
from experiments.runs.folder import RunError
from experiments.runs.identity import PRECISION
from experiments.runs.speed import set_precision
from experiments.runs.trust import refuse_unknown_classes
from experiments.runs.weights import read_weights

TOLERANCE = 1e-3  # of the largest score; another device or number of threads rounds differently


def recompute(run: FinishedRun, rule: str, *, trust: bool = False) -> float:
    """Rebuild the network, load its weights, predict the test split, and compare the scores.

    Args:
        run: a complete run.
        rule: whose weights and scores.
        trust: build whatever classes `config.yaml` names, rather than known ones alone. Weights
            are read without running any code in either case.

    Returns:
        The largest difference between a score and the one in `predictions.npz`.

    Raises:
        RunError: if the configuration names a class that is not known, the data set is gone or
            another one, the weights are not this network's, or the scores differ by more than
            rounding.
    """
    cfg = read_config(run, trust=trust)
    data = open_data(cfg, run)
    torch.set_num_threads(cfg.threads)
    set_precision(**{name: cfg[name] for name in PRECISION if name in cfg})  # older runs lack it
    network = build(cfg.network)
    load_strictly(network, run.folder.weights(rule))
    task = build(cfg.task.module)(
        network, training=build(cfg.training), splits=data.evaluation_names
    )
    quieten()  # after Lightning is imported, which sets its own level
    trainer = build(cfg.trainer, callbacks=[], logger=False)
    trainer.validate(task, datamodule=data, verbose=False)
    scores = task.evaluations["test"].scores.numpy()
    stored = run.predictions(rule).scores
    difference = float(np.abs(scores - stored).max()) if scores.shape == stored.shape else np.inf
    if not difference <= TOLERANCE * float(np.abs(stored).max()):
        raise RunError(
            f"{run.folder.path}: the weights of {rule} give scores that differ from those in "
            f"predictions.npz by up to {difference:.3g}: they are not of one run; train it again"
        )
    return difference


def read_config(run: FinishedRun, *, trust: bool) -> DictConfig:
    """Read the configuration that a run was made with, every interpolation resolved.

    Raises:
        RunError: if it is missing or no YAML mapping, or names a class that is not known and
            not trusted.
    """
    file = run.folder.path / "config.yaml"
    try:
        cfg = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    except FileNotFoundError:
        raise RunError(f"{file}: no such file, so the network cannot be rebuilt") from None
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise RunError(f"{file}: expected the run's configuration: {error}") from None
    if not isinstance(cfg, dict):
        raise RunError(f"{file}: expected the run's configuration, found a {type(cfg).__name__}")
    if not trust:
        refuse_unknown_classes(cfg, file)
    return OmegaConf.create(cfg)


def open_data(cfg: DictConfig, run: FinishedRun) -> Any:
    """Open the packed data set that a run was made with; nothing is rendered or prepared.

    Raises:
        RunError: if it is gone, or is another one by now.
    """
    data, root, written = build(cfg.datamodule), cfg.data.root, run.metrics["manifest"]
    try:
        data.setup("fit")
    except (ValueError, OSError) as error:
        raise RunError(
            f"the data set of {run.folder.path} cannot be read any more: {error} "
            "(evaluate.py without recompute=true needs none)"
        ) from None
    if data.manifest_hash != written:
        raise RunError(
            f"{root}: another data set than that of {run.folder.path}: expected the manifest "
            f"{written[:8]}, found {data.manifest_hash[:8]}: prepare it as it was, or train again"
        )
    return data


def load_strictly(network: torch.nn.Module, path: Path) -> None:
    """Load weights that have to be exactly those of the network.

    Raises:
        RunError: if a name or a shape differs, or the file holds anything but weights.
    """
    state = read_weights(path)
    own = network.state_dict()
    wrong = {name for name in own.keys() & state.keys() if own[name].shape != state[name].shape}
    wrong |= own.keys() ^ state.keys()
    if wrong:
        raise RunError(
            f"{path}: expected the weights of the network in config.yaml, found another's: "
            f"{len(wrong)} of {len(own)} tensors differ, such as {min(wrong)}"
        )
    network.load_state_dict(state)
