"""Tiny branches for tests of the contracts: one tensor, two tensors, and no spatial axis."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.backbones import Branch, BranchState


class OneTap(Branch):
    """`(B, 2, T)`, two stages of 1x1 convolutions to 4 and 6 channels."""

    def __init__(self, *, outputs: int | None) -> None:
        stages = {"a": nn.Conv1d(2, 4, 1), "b": nn.Conv1d(4, 6, 1)}
        super().__init__(stages, channels={"a": [4], "b": [6]}, feature_size=6, outputs=outputs)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return values[0].mean(2)


class TwoTaps(Branch):
    """`(B, 2, 3)`: two persons with the same weights; the element-wise maximum at the end."""

    def __init__(self, *, outputs: int | None) -> None:
        stages = {"p": nn.Linear(3, 5), "q": nn.Linear(5, 4)}
        channels = {"p": [5, 5], "q": [4, 4]}
        super().__init__(stages, channels=channels, feature_size=4, outputs=outputs)

    def begin(self, x: Tensor) -> BranchState:
        return BranchState(list(x.unbind(1)), 0)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return torch.maximum(*values)


def points(mid: Any, *stages: Mapping[str, str], **options: str) -> list[dict[str, Any]]:
    """Fusion points as a config gives them: where branches meet, by which module, and options."""
    return [{"stages": dict(where), "fusion": mid, **options} for where in stages]
