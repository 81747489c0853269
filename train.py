"""Train a network of the paper: `python train.py task=ravdess fusion=msaf fold=0 seed=1`."""

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from experiments.console import command, readable_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(cfg: DictConfig) -> float:
    """Complete the run that the command line names; return its headline figure in per cent."""
    # Imported here because Lightning takes seconds, and `--help` should not; the console, because a
    # launcher sends this function to other processes with the names around it, and it cannot go.
    from experiments.console import console
    from experiments.evaluation.terminal import print_runs
    from experiments.runs.accelerator import check_accelerator
    from experiments.runs.overrides import Overrides
    from experiments.runs.run import Run

    with readable_errors(go_on=HydraConfig.get().mode == RunMode.MULTIRUN):
        check_accelerator(cfg.trainer)
        run = Run(Overrides(HydraConfig.get().overrides.task), console)
        run.refuse_idle()
        folder = run.complete()
        runs = [*(source.folder for source in run.sources.values()), folder]
        return print_runs(runs, console)


if __name__ == "__main__":
    with command(after_interrupt="the same command goes on from the last complete epoch"):
        main()
