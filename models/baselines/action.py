"""What the whole-network rivals of the action task (Table 3) share.

Legend: B samples, C channels, T frames, H height, W width, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.backbones import Branch, BranchBuilder, BranchOutput

MODALITIES = ("video", "skeleton")


class Walk(NamedTuple):
    """A branch's maps by stage, one a sample, and its end."""

    maps: dict[str, Tensor]
    end: BranchOutput


class ActionNetwork(nn.Module):
    """A network of its own around the video and the skeleton branch of the task.

    The batch has `video` `(B, 3, T, H, W)` and `skeleton` `(B, 3, T, 25, 2)`, and for the loss
    `label` `(B,)`.

    Args:
        branches: builders of both modalities.
        outputs: K, or `None` for branches without heads.

    Raises:
        ValueError: for branches of other modalities.
    """

    def __init__(
        self,
        branches: Mapping[str, BranchBuilder],
        *,
        outputs: int | None,
    ) -> None:
        super().__init__()
        if set(branches) != set(MODALITIES):
            raise ValueError(
                f"{type(self).__name__} is a network of video and skeletons: expected a branch of "
                f"each, found {', '.join(branches)}"
            )
        self.branches = nn.ModuleDict(
            {name: branches[name](outputs=outputs) for name in MODALITIES}
        )

    def branch(self, modality: str) -> Branch:
        """Return the branch of a modality."""
        branch = self.branches[modality]
        assert isinstance(branch, Branch)
        return branch

    def walk(self, modality: str, x: Tensor, stages: Sequence[str]) -> Walk:
        """Run a branch to its end and keep the maps of some stages, the larger of both persons."""
        branch = self.branch(modality)
        state, maps = branch.begin(x), {}
        for stage in stages:
            state = branch.advance(state, stage)
            maps[stage] = torch.stack(branch.taps(state)).amax(0)
        return Walk(maps, branch.finish(state))

    def channels(self, modality: str, stage: str) -> int:
        """Return the channels of a stage, or say which stages there are."""
        branch = self.branch(modality)
        branch.position(stage)
        return branch.channels[stage][0]
