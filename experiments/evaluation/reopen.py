"""A complete run opened again: its network with its weights, and the data that it was made with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from experiments.contracts import Batch, DataModule
from experiments.evaluation.finished import FinishedRun
from experiments.runs.compose import build
from experiments.runs.folder import RunError
from experiments.runs.identity import PRECISION
from experiments.runs.speed import set_precision
from experiments.runs.trust import refuse_unknown_classes
from experiments.runs.weights import read_weights


@dataclass(frozen=True)
class Reopened:
    """A run's network in evaluation mode, and its data.

    Args:
        run: the complete run.
        cfg: what it was made with, every interpolation resolved.
        network: with the weights of a reporting rule, on `device`.
        data: set up where it comes from `reopen`.
        device: a GPU where there is one.
    """

    run: FinishedRun
    cfg: DictConfig
    network: nn.Module
    data: DataModule
    device: torch.device

    def ready(self, batch: Batch, number: int = 0) -> Batch:
        """Turn a loaded batch of an evaluation split into what the network takes.

        Args:
            batch: as it is loaded.
            number: of the split, among the data's `evaluation_names`.
        """
        there = {
            name: x.to(self.device) if isinstance(x, torch.Tensor) else x
            for name, x in batch.items()
        }
        return self.data.on_after_batch_transfer(there, number)

    def batches(self, split: str) -> Iterator[Batch]:
        """Yield the batches of an evaluation split as the network takes them.

        Args:
            split: one of the data's `evaluation_names`.
        """
        number = list(self.data.evaluation_names).index(split)
        for batch in self.data.val_dataloader()[number]:
            yield self.ready(batch, number)


def reopen(run: FinishedRun, rule: str, *, trust: bool = False) -> Reopened:
    """Rebuild a run's network, load the weights of a rule, and open its data.

    The number of threads and the precision become the run's, for this whole process.

    Args:
        run: a complete run.
        rule: the reporting rule whose weights are loaded.
        trust: build whatever classes `config.yaml` names, rather than known ones alone. Weights
            are read without running any code in either case.

    Raises:
        RunError: if the configuration names a class that is not known, the data set is gone or
            another one, or the weights are gone or not this network's.
    """
    cfg = read_config(run, trust=trust)
    return with_network(run, cfg, rule, open_data(cfg, run))


def reopen_without_data(run: FinishedRun, rule: str, *, trust: bool = False) -> Reopened:
    """Rebuild a run's network and load its weights; its data set may be gone.

    The data module is built, and not set up: it turns batches into what the network takes, and has
    none of its own. Arguments, effects and errors else are those of `reopen`.
    """
    cfg = read_config(run, trust=trust)
    return with_network(run, cfg, rule, build_again(cfg.datamodule, run))


def with_network(run: FinishedRun, cfg: DictConfig, rule: str, data: DataModule) -> Reopened:
    """Rebuild a run's network beside its data, and load the weights of a rule, as `reopen`."""
    torch.set_num_threads(cfg.threads)
    set_precision(**{name: cfg[name] for name in PRECISION if name in cfg})  # older runs lack it
    network = build_again(cfg.network, run)
    load_strictly(network, run.folder.weights(rule))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Reopened(run, cfg, network.to(device).eval(), data, device)


@contextmanager
def running(run: FinishedRun) -> Iterator[None]:
    """Say that a run's configuration is wrong where its network or its data fail while they run.

    Raises:
        RunError: in place of what they raise, which is its cause.
    """
    try:
        yield
    except ValueError:  # says itself what is wrong
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise RunError(
            f"{run.folder.path / 'config.yaml'}: expected the configuration that the run was made "
            f"with, found one that fails ({reason}): copy the run folder again from where it is "
            "whole, or train the run again"
        ) from error


def build_again(node: DictConfig, run: FinishedRun) -> Any:
    """Build what a run's configuration describes.

    Raises:
        RunError: if the classes of today do not take it.
    """
    try:
        return build(node)
    except InstantiationException as error:
        made = run.metrics.get("commit") or "an unknown commit"
        reason = str(error.__cause__ or error).splitlines()[0]
        raise RunError(
            f"{run.folder.path / 'config.yaml'}: expected a configuration of this version, found "
            f"one of {made}, which it cannot build ({reason}): check that commit out, or train the "
            "run again"
        ) from error


def read_config(run: FinishedRun, *, trust: bool) -> DictConfig:
    """Read the configuration that a run was made with, every interpolation resolved.

    Raises:
        RunError: if it is missing or no configuration, or names a class that is not known and
            not trusted.
    """
    cfg, file = run.folder.config(), run.folder.path / "config.yaml"
    if not trust:
        refuse_unknown_classes(cfg, file)
    try:
        return DictConfig(OmegaConf.to_container(DictConfig(cfg), resolve=True))
    except OmegaConfBaseException as error:
        raise RunError(f"{file}: expected the run's configuration: {error}") from None


def open_data(cfg: DictConfig, run: FinishedRun) -> DataModule:
    """Open the packed data set that a run was made with; nothing is rendered or prepared.

    Raises:
        RunError: if it is gone, or is another one by now.
    """
    data: DataModule = build_again(cfg.datamodule, run)
    root, written = cfg.data.root, run.metrics["manifest"]
    try:
        data.setup("fit")
    except (ValueError, OSError) as error:
        raise RunError(
            f"the data set of {run.folder.path} cannot be read any more: {error} "
            "(a network is run again on the data that it was made with)"
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
