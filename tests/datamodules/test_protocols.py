"""What the two protocols hand to the datamodules, from the configuration itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

import experiments  # noqa: F401  (its resolvers)

CONFIGS = str(Path(__file__).parents[2] / "configs")


@pytest.fixture(autouse=True)
def _configs() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


@pytest.mark.parametrize(
    ("task", "path", "paper", "released"),
    [
        ("ravdess", "video.crop_scale", [0.8, 1.0], [0.8, 1.4]),
        ("ravdess", "video.augment_per", "clip", "frame"),
        ("ntu", "windows.probability", 0.5, 1.0),
        ("ntu", "windows.kind", "shared", "separate"),
    ],
)
def test_augmentation(task: str, path: str, paper: Any, released: Any) -> None:
    for protocol, expected in (("paper", paper), ("released", released)):
        cfg = hydra.compose("train", [f"task={task}", f"protocol={protocol}"])
        value = OmegaConf.select(cfg.datamodule, path)
        assert (OmegaConf.to_container(value) if OmegaConf.is_list(value) else value) == expected
