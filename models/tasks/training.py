"""Training rules: how the losses of a network become steps of its optimizers."""

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from models.fusions import Prediction

if TYPE_CHECKING:
    from models.tasks.base import Task

OptimizerBuilder = Callable[[Iterable[Any]], Optimizer]
"""Builds an optimizer from parameters, or from groups of them."""

SchedulerBuilder = Callable[[Optimizer], LRScheduler]
NEVER = 10**9


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

    def configure(self, network: Any) -> Any:
        """Return what Lightning's `configure_optimizers` may return."""
        raise NotImplementedError

    def step(self, task: "Task", batch: dict[str, Tensor]) -> Tensor | None:
        """Train on one batch; return the loss if Lightning is to take the optimizer's step."""
        raise NotImplementedError

    def end_epoch(self, task: "Task") -> None:
        """Step the schedules; called once, after the last batch of an epoch."""
        for scheduler in _listed(task.lr_schedulers()):
            scheduler.step()

    def _lightning(self, parameters: Iterable[Any]) -> dict[str, Any]:
        optimizer = self.optimizer(parameters)
        if self.scheduler is None:
            return {"optimizer": optimizer}
        # Lightning would step the schedule after the epoch's checkpoint is written, and a resumed
        # run would lag by one step; so it is told "never", and `end_epoch` does it.
        schedule = {"scheduler": self.scheduler(optimizer), "frequency": NEVER}
        return {"optimizer": optimizer, "lr_scheduler": schedule}


class Joint(TrainingRule):
    """One optimizer over all parameters, one loss on the network's prediction (the paper)."""

    def configure(self, network: Any) -> Any:
        return self._lightning(network.parameters())

    def step(self, task: "Task", batch: dict[str, Tensor]) -> Tensor:
        prediction = task.network(batch)
        losses = task.network.loss(prediction, batch)
        task.record(prediction, losses, batch)
        return losses["total"]


class Phases(Joint):
    """Phases one after the other, for networks that are trained in several steps.

    The network's `enter(phase)` is called before every batch, and its `total` is then that phase's
    loss. The optimizer has all parameters, and leaves alone those that a phase's loss does not
    reach. Several processes would wait for every gradient: `trainer=ddp` needs
    `trainer.strategy=ddp_find_unused_parameters_true`.

    Args:
        optimizer: see `TrainingRule`.
        scheduler: see `TrainingRule`.
        shares: of each phase, in order, in all epochs; they sum to 1. Phases begin with a whole
            epoch and have one at least; where there are fewer epochs than phases, the last ones do.
        epochs: of the whole run.
        rates: learning rates of the parameters that belong to a phase, the network's
            `phase_parts()`, where it is not the optimizer's own.

    Raises:
        ValueError: for shares that are not positive, or do not sum to 1; later, for a network
            without these phases.
    """

    def __init__(
        self,
        *,
        optimizer: OptimizerBuilder,
        scheduler: SchedulerBuilder | None = None,
        shares: Mapping[str, float],
        epochs: int,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(optimizer=optimizer, scheduler=scheduler)
        if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
            raise ValueError(f"expected positive shares that sum to 1, found shares={dict(shares)}")
        self.ends = {}
        for number, (name, end) in enumerate(zip(shares, accumulate(shares.values()), strict=True)):
            later = len(shares) - 1 - number
            self.ends[name] = min(max(int(epochs * end + 1e-6), number + 1), epochs - later)
        self.rates = dict(rates or {})

    def configure(self, network: Any) -> Any:
        if not hasattr(network, "enter"):
            raise ValueError(
                f"training in phases needs a network that has some: {type(network).__name__} has "
                "no method enter(phase)"
            )
        if not self.rates:
            return super().configure(network)
        parts: Mapping[str, nn.Module] = network.phase_parts()
        if not self.rates.keys() <= parts.keys():
            raise ValueError(f"rates={self.rates}: the phases with parts are {', '.join(parts)}")
        own = {name: list(part.parameters()) for name, part in parts.items() if name in self.rates}
        taken = {id(p) for group in own.values() for p in group}
        rest = [p for p in network.parameters() if id(p) not in taken]
        groups = [{"params": group, "lr": self.rates[name]} for name, group in own.items()]
        return self._lightning([{"params": rest}, *groups])

    def phase(self, epoch: int) -> str:
        """Return the name of the phase to which an epoch belongs."""
        return next((name for name, end in self.ends.items() if epoch < end), [*self.ends][-1])

    def step(self, task: "Task", batch: dict[str, Tensor]) -> Tensor:
        task.network.enter(self.phase(task.current_epoch))
        return super().step(task, batch)


class Alternating(TrainingRule):
    """One optimizer and one pass per branch and batch (the released NTU code).

    Each pass takes the loss of one branch's logits and steps that branch and all fusion modules,
    so the fusion modules move once a branch. The fused prediction itself has no loss. A pass leaves
    the other branches' heads without a gradient, for which several processes would wait:
    `trainer=ddp` needs `trainer.strategy=ddp_find_unused_parameters_true`.

    Raises:
        ValueError: in use, for a readout that gives no logits of each branch.
    """

    automatic = False

    def configure(self, network: Any) -> Any:
        shared = list(network.points.parameters())
        branches = network.branches.values()
        # A fusion parameter belongs to several optimizers: each keeps moments of its own.
        return tuple(self._lightning([*branch.parameters(), *shared]) for branch in branches)

    def step(self, task: "Task", batch: dict[str, Tensor]) -> None:
        for name, optimizer in zip(task.network.branches, _listed(task.optimizers()), strict=True):
            prediction = task.network(batch)
            if name not in prediction.parts:
                raise ValueError(
                    f"Alternating trains the {name} branch by its own logits, and this fusion has "
                    "none: choose training._target_=models.tasks.Joint"
                )
            losses = task.network.loss(Prediction(prediction.parts[name], {}), batch)
            task.network.zero_grad()
            task.manual_backward(losses["total"])
            optimizer.step()
            task.record(prediction, {f"{name}_loss": losses["total"]}, batch)


def _attempt(what: str, build: Callable[[Any], Any], argument: Any) -> Any:
    try:
        return build(argument)
    except (TypeError, ValueError) as error:
        settings = getattr(build, "keywords", {})  # a config gives a partial of the class
        listed = ", ".join(f"{k}={v}" for k, v in settings.items()) or "its defaults"
        raise ValueError(f"training.{what}: it does not take {listed}: {error}") from error


def _listed(found: Any) -> list[Any]:
    # Lightning returns a list only if there are several, and None if there is none.
    return found if isinstance(found, list) else [found] if found is not None else []
