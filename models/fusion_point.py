"""A place between the stages of several branches where they exchange features.

Legend: B samples, C channels, T steps; `*` stands for any spatial axes, or none.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from models.backbones import Branch
from models.contracts import MidFusion, MidFusionBuilder


class FusionPoint(nn.Module):
    """One place where the branches exchange features.

    Args:
        branches: the branches that take part, in the order of the config.
        stages: for each of them, the stage after which it is tapped.
        fusion: builds the module from the channels of all taps, in that order.
        join: concatenate the taps of one branch along the channels, fuse them as one feature, and
            split them again (Table 5's early point does so with the two persons).
        first: exchange the first tap of each branch, and leave its other taps as they are (MMTM's
            first point does so with the two persons).
        unchanged: a branch that takes part and yet goes on with its own features (a slip of the
            released code, which computes gated features and does not use them).

    Raises:
        ValueError: for a stage that there is not, or a fusion that is none of the contract.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        stages: Mapping[str, str],
        fusion: MidFusionBuilder,
        join: bool = False,
        first: bool = False,
        unchanged: str | None = None,
    ) -> None:
        super().__init__()
        for name, stage in stages.items():
            branches[name].position(stage)
        self.stages = dict(stages)
        self.join = join
        self.unchanged = unchanged
        self.channels = {
            name: branches[name].channels[stage][: 1 if first else None]
            for name, stage in stages.items()
        }
        groups = self.channels.values()
        in_channels = [sum(group) for group in groups] if join else [c for g in groups for c in g]
        self.fusion = _mid_fusion(fusion(in_channels))

    def forward(
        self, taps: Mapping[str, list[Tensor]], masks: Mapping[str, Tensor | None]
    ) -> dict[str, list[Tensor]]:
        """Exchange features.

        Args:
            taps: each branch's, `(B, C, *)`.
            masks: which steps of a branch are no padding, `(B, T)`, for a fusion that asks.

        Returns:
            What each branch goes on with.
        """
        flat: list[Tensor] = []
        flat_masks: list[Tensor | None] = []
        for name, channels in self.channels.items():
            used = taps[name][: len(channels)]
            joined = [torch.cat(used, 1)] if self.join else used
            flat += joined
            flat_masks += [masks[name]] * len(joined)
        told = (flat_masks,) if self.fusion.takes_masks else ()
        fused = iter(self.fusion(flat, *told))
        groups = {
            name: list(next(fused).split(channels, 1))
            if self.join
            else [next(fused) for _ in channels]
            for name, channels in self.channels.items()
        }
        return {
            name: group + taps[name][len(group) :]
            for name, group in groups.items()
            if name != self.unchanged
        }


def build_points(
    branches: Mapping[str, Branch],
    fusion_points: Sequence[Mapping[str, str]],
    mid: MidFusionBuilder,
    settings: Sequence[Mapping[str, Any]],
) -> list[FusionPoint]:
    """Build the points that a config describes.

    Args:
        branches: those in use; a point that has only one of them is none.
        fusion_points: for each point the stage of every branch, and options; see
            `StagedNetwork.build`.
        mid: builder of the module at each point.
        settings: of that module, one entry a point.

    Raises:
        ValueError: for an option that there is not, or what is no mid-level fusion.
    """
    points = []
    for point, values in zip(fusion_points, settings, strict=True):
        stages = {name: point[name] for name in branches if name in point}
        if len(stages) > 1:
            fusion = partial(mid, **values)
            join, first = _says(point, "join", "channels"), _says(point, "only", "first")
            unchanged = point.get("unchanged")
            if unchanged not in (None, *stages):
                raise ValueError(f"unchanged: {unchanged}: choose one of {', '.join(stages)}")
            points.append(
                FusionPoint(
                    branches,
                    stages=stages,
                    fusion=fusion,
                    join=join,
                    first=first,
                    unchanged=unchanged,
                )
            )
    return points


def _mid_fusion(built: MidFusion) -> MidFusion:
    if isinstance(built, MidFusion):
        return built
    raise ValueError(
        f"{type(built).__name__} is no MidFusion of models/contracts.py: it does not say "
        "takes_masks; `takes_masks = False` in its class declares that it takes features alone"
    )


def _says(point: Mapping[str, str], key: str, word: str) -> bool:
    found = point.get(key)
    if found not in (None, word):
        raise ValueError(f"{key}: {found}: a fusion point can have '{key}: {word}', or no {key}")
    return found == word
