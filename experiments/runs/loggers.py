"""Where the figures of an epoch are also written, beside `log.csv`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger, WandbLogger

from experiments.runs.compose import build
from experiments.runs.folder import RunError


@contextmanager
def loggers(cfg: DictConfig | None, folder: Path, **run: str) -> Iterator[list[Logger]]:
    """Give the configured logger, if there is one, and end it with the run.

    Args:
        cfg: the logger; its `told` names what else of `run` it is given.
        folder: of the run, in which it writes.
        run: the run's `id`, by which a continued run continues its curve, and its `name`.

    Raises:
        RunError: if its package is not installed.
    """
    made: list[Logger] = []
    if cfg:
        told = {key: run[key] for key in cfg.told}
        settings: Any = {key: value for key, value in cfg.items() if key != "told"}
        try:
            made = [build(DictConfig(settings))(save_dir=str(folder), **told)]
        except ModuleNotFoundError as error:
            raise RunError(
                f"{cfg._target_} needs a package that is not installed: "
                f"{str(error).splitlines()[0]} pip install -r requirements.txt installs all"
            ) from None
    try:
        yield made
    finally:
        for logger in made:
            if isinstance(logger, WandbLogger):  # else the next run of this process logs into it
                logger.experiment.finish()
