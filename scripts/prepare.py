"""Raw data set -> packed data set: `python scripts/prepare.py task=ravdess raw=<folder>`."""

import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.console import command, readable_errors
from experiments.runs.overrides import Overrides

FILES = ("raw", "out", "action_units", "text_encoder", "folds", "missing_skeletons")
VERIFYING = ("verify", "out", "task", "protocol")  # what says where a packed set lies


@hydra.main(version_base="1.3", config_path="../configs", config_name="prepare")
def main(config: DictConfig) -> None:
    """Run the task's prepare function, and end with one message where it cannot go on."""
    with readable_errors():
        check(config, Overrides(HydraConfig.get().overrides.task))
        for place in FILES:
            if not OmegaConf.is_missing(config, place) and config[place] is not None:
                config[place] = str(config[place])  # a folder may be called 2024
        try:
            hydra.utils.instantiate(config.verifying if config.verify else config.prepare)
        except InstantiationException as error:
            if isinstance(error.__cause__, ValueError | OSError):
                raise error.__cause__ from error
            raise


def check(config: DictConfig, overrides: Overrides) -> None:
    """Refuse overrides that cannot be meant.

    Raises:
        ValueError: says which one, and what it may be.
    """
    if not isinstance(config.verify, bool):
        raise ValueError(f"verify={config.verify}: choose true or false")
    if config.verify:
        for key, text in zip(overrides.keys, overrides, strict=True):
            if key not in VERIFYING:
                raise ValueError(f"{text}: verify=true packs nothing and has no use for it")
    elif OmegaConf.is_missing(config, "raw") or config.raw is None:
        raise ValueError("raw=<folder> is missing: where does the raw data set lie? (--help)")
    workers = config.workers
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ValueError(f"workers={workers}: expected a whole number of at least 1")
    for key in overrides.keys:
        if key in FILES and key not in config.prepare:
            raise ValueError(
                f"{overrides.only(key)}: task={config.task.name} has no use for it (--help)"
            )


if __name__ == "__main__":
    with command(after_interrupt="the same command continues where it was"):
        main()
