"""A place between the stages of several branches where they exchange features.

Legend: B samples, C channels, T steps; `*` stands for any spatial axes, or none.
"""

from collections.abc import Mapping
from typing import Literal

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
        join: `channels` concatenates the taps of one branch along the channels, fuses them as one
            feature, and splits them again (Table 5's early point does so with the two persons).
        only: `first` exchanges the first tap of each branch, and leaves its other taps as they are
            (MMTM's first point does so with the two persons).
        unchanged: a branch that takes part and yet goes on with its own features (a slip of the
            released code, which computes gated features and does not use them).

    Raises:
        ValueError: for a stage or an option that there is not, or a fusion that is none of the
            contract.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        stages: Mapping[str, str],
        fusion: MidFusionBuilder,
        join: Literal["channels"] | None = None,
        only: Literal["first"] | None = None,
        unchanged: str | None = None,
    ) -> None:
        super().__init__()
        for option, found, known in (
            ("join", join, ["channels"]),
            ("only", only, ["first"]),
            ("unchanged", unchanged, list(stages)),
        ):
            if found not in (None, *known):
                raise ValueError(f"{option}: {found}: choose {' or '.join(known)}, or leave it out")
        unknown = [name for name in stages if name not in branches]
        if unknown:
            raise ValueError(f"stages: {unknown[0]}: the branches are {', '.join(branches)}")
        self.stages = {name: stages[name] for name in branches if name in stages}
        for name, stage in self.stages.items():
            branches[name].position(stage)
        self.join = join is not None
        self.unchanged = unchanged
        self.channels = {
            name: branches[name].channels[stage][: 1 if only else None]
            for name, stage in self.stages.items()
        }
        apart = [count for group in self.channels.values() for count in group]
        joined = [sum(group) for group in self.channels.values()]
        self.fusion = _mid_fusion(fusion(joined if self.join else apart))

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


def _mid_fusion(built: MidFusion) -> MidFusion:
    if isinstance(built, MidFusion):
        return built
    raise ValueError(
        f"{type(built).__name__} is no MidFusion of models/contracts.py: it does not say "
        "takes_masks; `takes_masks = False` in its class declares that it takes features alone"
    )
