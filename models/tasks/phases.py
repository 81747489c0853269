"""Training in phases, for networks that are trained in several steps."""

import copy
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from models.contracts import Network, PhasedNetwork, TrainedTask
from models.tasks.training import Joint, OptimizerBuilder, SchedulerBuilder, listed


class Phases(Joint):
    """Phases one after the other, for networks that are trained in several steps.

    The network's `enter(phase)` is called before every batch, and its `total` is then that phase's
    loss. The optimizer has all parameters, and leaves alone those that a phase's loss does not
    reach. The schedule starts again with every phase, the optimizer's moments do not. Several
    processes would wait for every gradient: `trainer=ddp` needs
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
        ValueError: for shares that are not positive, or do not sum to 1; in use, for a network
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
        self._beginning: dict[str, Any] = {}  # of the schedule, once there is a network

    def configure(self, network: Network) -> OptimizerLRScheduler:
        parts = _phased(network).phase_parts()
        for setting, named in (("shares", self.ends), ("rates", self.rates)):
            unknown = [name for name in named if name not in parts]
            if unknown:
                raise ValueError(
                    f"training.{setting}: {type(network).__name__} has no phase "
                    f"{', '.join(unknown)}; its phases are {', '.join(parts)}"
                )
        groups = self._groups(network, parts) if self.rates else network.parameters()
        found: Any = self._lightning(groups)  # one of two typed dicts, by its keys
        if "lr_scheduler" in found:
            self._beginning = copy.deepcopy(found["lr_scheduler"]["scheduler"].state_dict())
        return found

    def _groups(self, network: Network, parts: Mapping[str, nn.Module]) -> list[dict[str, Any]]:
        own = {name: list(part.parameters()) for name, part in parts.items() if name in self.rates}
        taken = {id(p) for group in own.values() for p in group}
        rest = [p for p in network.parameters() if id(p) not in taken]
        return [
            {"params": rest},
            *({"params": group, "lr": self.rates[name]} for name, group in own.items()),
        ]

    def phase(self, epoch: int) -> str:
        """Return the name of the phase to which an epoch belongs."""
        return next((name for name, end in self.ends.items() if epoch < end), [*self.ends][-1])

    def end_epoch(self, task: TrainedTask) -> None:
        """Step the schedules, or start them again where the next epoch begins a phase."""
        epoch = task.current_epoch
        if self.phase(epoch + 1) == self.phase(epoch):
            super().end_epoch(task)
            return
        for scheduler in listed(task.lr_schedulers()):
            scheduler.load_state_dict(copy.deepcopy(self._beginning))
            rates = zip(scheduler.optimizer.param_groups, self._beginning["_last_lr"], strict=True)
            for group, rate in rates:
                group["lr"] = rate

    def step(self, task: TrainedTask, batch: dict[str, Tensor]) -> Tensor:
        _phased(task.network).enter(self.phase(task.current_epoch))
        return super().step(task, batch)


def _phased(network: Network) -> PhasedNetwork:
    if isinstance(network, PhasedNetwork):
        return network
    raise ValueError(
        f"training in phases needs a network that has some: {type(network).__name__} is no "
        "PhasedNetwork of models/contracts.py, with enter(phase) and phase_parts()"
    )
