"""Folders of runs whose networks were never trained, for tests of what is done with a network."""

from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from experiments.runs.compose import build, compose
from experiments.runs.folder import RunFolder
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS

# Networks of the smallest size, and data that are nowhere.
SMALL = {
    "ravdess": [
        "task.branches.video.depths=[1,1,1,1]",
        "task.branches.video.width=16",
        "task.branches.video.cardinality=8",
    ],
    "mosei": ["task.branches.text.features=12"],
    "ntu": [
        "task.branches.video.width=8",
        "task.branches.skeleton.width=32",
        "datamodule.video.size=32",
        "datamodule.video.frames=8",
        "datamodule.skeleton.frames=16",
    ],
}


def write_run(
    place: Path, task: str, *overrides: str, preparation: dict[str, Any] | None, **described: Any
) -> Path:
    """Write what `train.py` would leave behind, with the weights that a network starts from."""
    GlobalHydra.instance().clear()
    every = [f"task={task}", "data=full", "data.root=nowhere", *SMALL[task], *overrides]
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        cfg = compose(Overrides(every))
        torch.manual_seed(0)
        network = build(cfg.network)
    folder = RunFolder(place / "fold0" / "seed1")
    folder.begin(OmegaConf.to_yaml(cfg, resolve=True))
    folder.weights("last_epoch").parent.mkdir()
    torch.save(network.state_dict(), folder.weights("last_epoch"))
    known = {} if preparation is None else {"preparation": preparation}
    folder.finish(
        {
            "hash": "0a1b2c3d", "task": task, "fusion": cfg.fusion.name,
            "modalities": list(cfg.modalities), "protocol": "paper", "data": "full",
            "provenance": "real", "manifest": "0" * 64, "fold": 0, "seed": 1,
            "headline": "last_epoch",
            "reported": {"last_epoch": {"epoch": 0, "test": {"accuracy": 0.0}}},
        }
        | known
        | described
    )  # fmt: skip
    return folder.path
