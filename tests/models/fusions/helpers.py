"""Branch outputs from plain numbers, and networks from the real configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import instantiate
from torch import Tensor, nn

import experiments  # noqa: F401  registers the resolvers of the configuration
from models import StagedNetwork
from models.backbones import BranchOutput

CONFIGS = Path(__file__).parents[3] / "configs"
TRIPLE = ["video", "audio", "action_units"]


def compose(*words: str, **kwargs: Any) -> Any:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", list(words), **kwargs)


def network(*words: str, **kwargs: Any) -> StagedNetwork:
    return instantiate(compose(*words).network, _convert_="all", **kwargs)


def with_logits(*logits: Tensor) -> dict[str, BranchOutput]:
    names = TRIPLE[: len(logits)]
    return {n: BranchOutput(x.new_zeros(len(x), 1), x) for n, x in zip(names, logits, strict=True)}


def with_probabilities(*probabilities: Sequence[Sequence[float]]) -> dict[str, BranchOutput]:
    return with_logits(*(torch.tensor(p, dtype=torch.float64).log() for p in probabilities))


def with_features(*features: Tensor) -> dict[str, BranchOutput]:
    names = TRIPLE[: len(features)]
    return {name: BranchOutput(x, None) for name, x in zip(names, features, strict=True)}


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
