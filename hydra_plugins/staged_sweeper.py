"""Hydra's door to the sweeps of `train.py -m`: it looks for sweepers here, and only here."""

from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class StagedSweeperConf:
    """`hydra/sweeper=staged`; `params` are overrides as they are in Hydra's basic sweeper."""

    _target_: str = "hydra_plugins.staged_sweeper.StagedSweeper"
    params: dict[str, str] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="staged", node=StagedSweeperConf)


class StagedSweeper(Sweeper):
    """Run all combinations, the runs that others start from first, and print one table at the end.

    Args:
        params: overrides in the configuration, before those of the command line.
    """

    def __init__(self, params: dict[str, str] | None) -> None:
        self.params = params or {}
        self.hydra_overrides: list[str] = []

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_overrides = list(config.hydra.overrides.hydra)

    def sweep(self, arguments: list[str]) -> None:
        # Imported here because Lightning takes seconds, and Hydra imports this file every time.
        from experiments.tables.sweep import sweep

        params = [f"{key}={value}" for key, value in self.params.items()]
        sweep([*params, *arguments], self.hydra_overrides)
