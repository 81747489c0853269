"""Training rules: how the losses of a network become steps of its optimizers."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from pytorch_lightning.utilities.types import (
    OptimizerConfig,
    OptimizerLRScheduler,
    OptimizerLRSchedulerConfig,
)
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.optimizer import ParamsT

from models.contracts import BranchedNetwork, Network, Prediction, TrainedTask

OptimizerBuilder = Callable[[ParamsT], Optimizer]
"""Builds an optimizer from parameters, or from groups of them."""

SchedulerBuilder = Callable[[Optimizer], LRScheduler]
NEVER = 10**9
T = TypeVar("T")
S = TypeVar("S")


class TrainingRule:
    """How a network is optimized.

    Args:
        optimizer: builds an optimizer from parameters.
        scheduler: builds its schedule, stepped once an epoch; `None` keeps the rate constant.

    Raises:
        ValueError: if one of them does not take its settings.
    """

    automatic = True

    def __init__(
        self, *, optimizer: OptimizerBuilder, scheduler: SchedulerBuilder | None = None
    ) -> None:
        self.optimizer = optimizer
        self.scheduler = scheduler
        # Tried here: otherwise the first to notice a wrong setting would be Lightning, in training.
        tried = _attempt("optimizer", optimizer, [nn.Parameter(torch.zeros(1))])
        if scheduler is not None:
            _attempt("scheduler", scheduler, tried)

    def configure(self, network: Network) -> OptimizerLRScheduler:
        """Return what Lightning's `configure_optimizers` may return."""
        raise NotImplementedError

    def step(self, task: TrainedTask, batch: dict[str, Tensor]) -> Tensor | None:
        """Train on one batch; return the loss if Lightning is to take the optimizer's step."""
        raise NotImplementedError

    def end_epoch(self, task: TrainedTask) -> None:
        """Step the schedules; called once, after the last batch of an epoch."""
        for scheduler in listed(task.lr_schedulers()):
            scheduler.step()

    def _lightning(self, parameters: ParamsT) -> OptimizerConfig | OptimizerLRSchedulerConfig:
        optimizer = self.optimizer(parameters)
        if self.scheduler is None:
            return {"optimizer": optimizer}
        # Lightning would step the schedule after the epoch's checkpoint is written, and a resumed
        # run would lag by one step; so it is told "never", and `end_epoch` does it.
        schedule = self.scheduler(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "frequency": NEVER},
        }


class Joint(TrainingRule):
    """One optimizer over all parameters, one loss on the network's prediction (the paper)."""

    def configure(self, network: Network) -> OptimizerLRScheduler:
        return self._lightning(network.parameters())

    def step(self, task: TrainedTask, batch: dict[str, Tensor]) -> Tensor:
        prediction = task.network(batch)
        losses = task.losses(prediction, batch)
        task.record(prediction, losses, batch)
        return losses["total"]


class Alternating(TrainingRule):
    """One optimizer and one pass per branch and batch (the released NTU code).

    Each pass takes the loss of one branch's logits and steps that branch and all fusion modules,
    so the fusion modules move once a branch. The fused prediction itself has no loss. A pass leaves
    the other branches' heads without a gradient, for which several processes would wait:
    `trainer=ddp` needs `trainer.strategy=ddp_find_unused_parameters_true`.

    Raises:
        ValueError: in use, for a network without branches of its own to train, or a readout that
            gives no logits of each branch.
    """

    automatic = False

    def configure(self, network: Network) -> OptimizerLRScheduler:
        # A fusion parameter belongs to several optimizers: each keeps moments of its own.
        return tuple(map(self._lightning, _branched(network).branch_parameters().values()))

    def step(self, task: TrainedTask, batch: dict[str, Tensor]) -> None:
        network = _branched(task.network)
        passes = zip(network.branch_parameters(), listed(task.optimizers()), strict=True)
        for name, optimizer in passes:
            prediction = network(batch)
            if name not in prediction.parts:
                raise ValueError(
                    f"Alternating trains the {name} branch by its own logits, and this fusion has "
                    "none: choose training._target_=models.tasks.Joint"
                )
            losses = task.losses(Prediction(prediction.parts[name], {}), batch)
            network.zero_grad()
            task.manual_backward(losses["total"])
            optimizer.step()
            task.record(prediction, {f"{name}_loss": losses["total"]}, batch)


def _branched(network: Network) -> BranchedNetwork:
    if isinstance(network, BranchedNetwork):
        return network
    raise ValueError(
        f"Alternating trains a network branch by branch: {type(network).__name__} is no "
        "BranchedNetwork of models/contracts.py, with branch_parameters(); choose "
        "training._target_=models.tasks.Joint"
    )


def _attempt(what: str, build: Callable[[T], S], argument: T) -> S:
    try:
        return build(argument)
    except (TypeError, ValueError) as error:
        settings = build.keywords if isinstance(build, partial) else {}  # a config gives a partial
        listed = ", ".join(f"{k}={v}" for k, v in settings.items()) or "its defaults"
        raise ValueError(f"training.{what}: it does not take {listed}: {error}") from error


def listed(found: T | list[T] | None) -> list[T]:
    """Return what Lightning gives as a list only if there are several, and `None` if none."""
    return found if isinstance(found, list) else [found] if found is not None else []
