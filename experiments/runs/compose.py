"""From overrides to a configuration, and from a configuration to objects."""

import copy
from functools import cache
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf

from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.read_once import read_files_once

FLAGS = ("rerun", "progress", "channels_last", "compile", "cudnn_tf32", "trainer.benchmark")
MATMUL_PRECISIONS = ("highest", "high", "medium")
WHOLE_NUMBERS = {"epochs": 1, "batch_size": 1, "threads": 1, "seed": 0}
REPEATS = ("fold", "seed")  # where a run stands among those of the same settings
GROUPS = ("task", "fusion", "data", "protocol")  # whose choices a run's folder names


def compose(overrides: Overrides) -> DictConfig:
    """Compose the configuration of `train.py`.

    Hydra takes a quarter of a second; runs that differ in fold and seed alone share one
    composition.

    Raises:
        RunError: if fold or seed has several values.
        HydraException: for an override that the configuration does not know.
    """
    cfg = copy.deepcopy(_composed(overrides.without(*REPEATS)))
    for key in REPEATS:
        if key in overrides:
            cfg[key] = overrides.value(key)
    return cfg


@cache
def _composed(overrides: Overrides) -> DictConfig:
    read_files_once(GlobalHydra.instance().config_loader())
    return hydra.compose("train", list(overrides))


def build(node: DictConfig | None, **extra: Any) -> Any:
    """Instantiate a configured object, with plain containers for its arguments.

    Every object of the project is built here, so that what a configuration may call can be
    restricted in one place.

    Raises:
        RunError: with the constructor's own message, if it refuses its arguments.
    """
    try:
        return instantiate(node, _convert_="all", **extra)
    except hydra.errors.InstantiationException as error:
        if isinstance(error.__cause__, ValueError | OSError):
            raise RunError(str(error.__cause__)) from error
        raise


def whole_network(cfg: DictConfig) -> bool:
    """Say whether the fusion is a network of its own, in place of branches that are fused."""
    return cfg.fusion.get("network") is not None


def check(cfg: DictConfig) -> None:
    """Refuse a configuration that makes no sense, before anything is written.

    Raises:
        RunError: says which override to change.
    """
    _check_modalities(cfg)
    for name, least in WHOLE_NUMBERS.items():
        if not isinstance(cfg[name], int) or cfg[name] < least:
            raise RunError(f"{name}={cfg[name]}: expected a whole number of at least {least}")
    if cfg.trainer.max_epochs != cfg.epochs:
        raise RunError(
            f"trainer.max_epochs={cfg.trainer.max_epochs}: the number of epochs is set by "
            f"epochs={cfg.trainer.max_epochs} alone"
        )
    _check_switches(cfg)
    if cfg.protocol.name == "paper" and cfg.protocol.init_from != "last_epoch":
        raise RunError(
            f"protocol.init_from={cfg.protocol.init_from} starts from an epoch that was chosen on "
            "the test data: that is part of protocol=released alone"
        )
    _check_fusion(cfg)
    _check_start(cfg)
    _check_modality_dropout(cfg)
    _check_processes(cfg)
    if OmegaConf.is_missing(cfg.data, "root"):
        raise RunError(
            "data=full needs the packed data set: data.root=<folder written by scripts/prepare.py>"
        )


def _check_switches(cfg: DictConfig) -> None:
    for name in FLAGS:
        value = OmegaConf.select(cfg, name)
        if not isinstance(value, bool):
            raise RunError(f"{name}={value}: choose true or false")
    if cfg.matmul_precision not in MATMUL_PRECISIONS:
        raise RunError(
            f"matmul_precision={cfg.matmul_precision}: choose {', '.join(MATMUL_PRECISIONS[:-1])} "
            f"or {MATMUL_PRECISIONS[-1]}"
        )
    workers = cfg.datamodule.get("workers")
    if workers is not None and (type(workers) is not int or workers < 0):
        raise RunError(
            f"datamodule.workers={workers}: expected a whole number of at least 0, or null"
        )


def check_root(cfg: DictConfig, overrides: Overrides) -> None:
    """Refuse a place for the packed set beside data=sample, which would be rendered there.

    Raises:
        RunError: says how to train on the set that lies there.
    """
    if "data.root" in overrides and cfg.data.name == "sample":
        root = overrides.value("data.root")
        raise RunError(
            f"data.root={root} names a packed set of your own, and data=sample renders one: train "
            f"on yours with data=full data.root={root}"
        )


def _check_modalities(cfg: DictConfig) -> None:
    known = [str(name) for name in cfg.task.branches]
    if not isinstance(cfg.modalities, ListConfig) or not set(cfg.modalities) <= set(known):
        raise RunError(
            f"modalities={cfg.modalities}: expected a list of some of {', '.join(known)}, as in "
            f"modalities=[{known[0]}]"
        )
    if len(set(cfg.modalities)) < len(cfg.modalities):
        raise RunError(f"modalities={cfg.modalities}: each one can be there once")


def _check_fusion(cfg: DictConfig) -> None:
    if cfg.fusion.name == "none" and len(cfg.modalities) != 1:
        raise RunError(
            "fusion=none trains one modality by itself: name it, as in "
            f"modalities=[{cfg.modalities[0]}], or train several jointly with fusion=sum"
        )
    if cfg.fusion.name != "none" and len(cfg.modalities) < 2:
        raise RunError(
            f"fusion={cfg.fusion.name} needs at least two modalities, found "
            f"modalities={list(cfg.modalities)}; one alone is fusion=none"
        )
    tasks = cfg.fusion.get("tasks")
    if tasks is not None and cfg.task.name not in tasks:
        raise RunError(
            f"fusion={cfg.fusion.name} is made for task={' or task='.join(tasks)}, "
            f"found task={cfg.task.name}; choose another fusion"
        )
    masked = OmegaConf.select(cfg, "fusion.mid.join_mean") == "masked"
    if masked and not cfg.task.get("lengths", False):
        raise RunError(
            f"fusion.mid.join_mean=masked: no modality of task={cfg.task.name} has padding; leave "
            "it out"
        )
    needs = cfg.fusion.get("needs")
    if needs is not None and set(cfg.modalities) != set(needs):
        raise RunError(
            f"fusion={cfg.fusion.name} is a network of {', '.join(needs)}: expected "
            f"modalities=[{','.join(needs)}], found {list(cfg.modalities)}"
        )
    if cfg.batch_size <= (least := cfg.fusion.get("more_samples_than", 0)):
        raise RunError(
            f"fusion={cfg.fusion.name} correlates views of {least} dimensions, which needs a batch "
            f"of more samples than that: found batch_size={cfg.batch_size}; choose a larger one, "
            "or fewer fusion.network.dimensions"
        )
    if cfg.task.outputs < cfg.fusion.get("least_outputs", 1):
        raise RunError(
            f"fusion={cfg.fusion.name} combines class probabilities, and a network of "
            f"task={cfg.task.name} predicts a single number: choose another fusion"
        )


def _check_start(cfg: DictConfig) -> None:
    if cfg.init not in ("unimodal", "scratch"):
        raise RunError(f"init={cfg.init}: choose unimodal or scratch")
    if cfg.init == "scratch" and cfg.fusion.get("frozen", False):
        raise RunError(
            f"fusion={cfg.fusion.name} keeps its branches as they start, and they must have been "
            "trained: init=unimodal"
        )
    if cfg.init == "unimodal" and whole_network(cfg) and "branches" not in cfg.network:
        raise RunError(
            f"fusion={cfg.fusion.name} is a network of its own, without the task's branches, and "
            "has nothing to start from: init=scratch"
        )
    starts = cfg.protocol.init_from
    if cfg.init == "unimodal" and cfg.reporting.get(starts, {}).get("each"):
        raise RunError(
            f"protocol.init_from={starts} takes each metric from another epoch on "
            f"task={cfg.task.name} and so has no weights to start from: init=scratch, or "
            "protocol.init_from=last_epoch"
        )


def _check_modality_dropout(cfg: DictConfig) -> None:
    dropout = cfg.modality_dropout or cfg.network.get("modality_dropout", 0)
    if dropout == 0:
        return
    if not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise RunError(f"modality_dropout={dropout}: expected a probability from 0 to 1")
    reason = ""
    if len(cfg.modalities) < 2:
        reason = "a run of one modality has no other that could be left"
    elif whole_network(cfg):
        reason = f"fusion={cfg.fusion.name} is a network of its own, which takes all it is given"
    elif not cfg.fusion.get("trains", True):
        reason = f"fusion={cfg.fusion.name} trains nothing"
    if reason:
        raise RunError(f"modality_dropout={dropout}: {reason}; leave it out")


def _check_processes(cfg: DictConfig) -> None:
    if "ddp" in str(cfg.trainer.get("strategy")):
        if cfg.trainer.devices is None:
            raise RunError("trainer=ddp needs the number of processes, as in trainer.devices=2")
        if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
            raise RunError(
                "trainer=ddp trains one run in several processes, and a sweep starts several runs: "
                "start each without -m, or leave trainer=ddp out"
            )
