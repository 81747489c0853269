"""A network of branches that exchange features at fusion points and end in one readout.

Legend: B samples, C channels, K outputs; `*` stands for any spatial axes, or none.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from models.backbones import Branch, BranchBuilder, BranchState
from models.fusions import Prediction, Readout, ReadoutBuilder

Fusion = Callable[..., nn.Module]
"""Builds a mid-level fusion from the channels of its inputs: `list[Tensor] -> list[Tensor]`."""


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
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        stages: Mapping[str, str],
        fusion: Fusion,
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
        self.fusion = fusion(in_channels)
        self.masked = getattr(self.fusion, "join_mean", None) == "masked"

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
        fused = iter(self.fusion(flat, flat_masks) if self.masked else self.fusion(flat))
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


class StagedNetwork(nn.Module):
    """Branches walked from fusion point to fusion point, then a readout.

    Args:
        branches: by modality; their order is the order of everything that follows.
        points: where features are exchanged, from early to late.
        readout: turns the branches' outputs into a prediction.
    """

    def __init__(
        self, branches: Mapping[str, Branch], *, points: Sequence[FusionPoint], readout: Readout
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(branches)
        self.points = nn.ModuleList(points)
        self.readout = readout

    @classmethod
    def build(
        cls,
        branches: Mapping[str, BranchBuilder],
        *,
        modalities: Sequence[str],
        outputs: int,
        readout: ReadoutBuilder,
        fusion_points: Sequence[Mapping[str, str]] = (),
        mid: Fusion | None = None,
        points: Sequence[Mapping[str, Any]] = (),
        all_heads: bool = False,
    ) -> "StagedNetwork":
        """Build the network that a config describes.

        Args:
            branches: a builder for every modality that the task knows.
            modalities: those to use, in this order.
            outputs: K, classes, or 1 for a regression.
            readout: builder, called with the branches' feature sizes.
            fusion_points: for each point the stage of every branch (and `join: channels` or
                `only: first` or `unchanged: <branch>`, as in `FusionPoint`); branches that are not
                used are left out, and a point with one branch left is none.
            mid: builder of the module at each point; `None` exchanges nothing.
            points: settings of that module, one entry a fusion point; empty for its defaults.
            all_heads: build every branch's head even if the readout reads features, where the
                paper's parameter counts contain them (the readout's `heads_beside`).

        Raises:
            ValueError: for an unknown modality, or settings that do not match the points.
        """
        unknown = [name for name in modalities if name not in branches]
        if unknown or not modalities:
            raise ValueError(f"modalities={list(modalities)}: choose from {', '.join(branches)}")
        if points and len(points) != len(fusion_points):
            raise ValueError(
                f"the fusion has settings for {len(points)} points, the task has "
                f"{len(fusion_points)} fusion points: give one entry for each"
            )
        kind: Any = getattr(readout, "func", readout)  # a config gives a partial of the class
        heads = outputs if kind.uses == "logits" or (all_heads and kind.heads_beside) else None
        chosen = {name: branches[name](outputs=heads) for name in modalities}
        settings = points or [{}] * len(fusion_points)
        built = [] if mid is None else _build_points(chosen, fusion_points, mid, settings)
        sizes = [branch.feature_size for branch in chosen.values()]
        return cls(chosen, points=built, readout=readout(sizes, outputs=outputs))

    def forward(self, batch: Mapping[str, Tensor]) -> Prediction:
        """Predict from `batch[modality]` for every branch, and its `<modality>_length` if given."""
        branches: Any = self.branches
        points: Any = self.points
        states: dict[str, BranchState] = {
            name: branch.begin(batch[name]) for name, branch in branches.items()
        }
        masks = {
            name: branch.valid_steps(batch[name], batch.get(f"{name}_length"))
            for name, branch in branches.items()
        }
        for point in points:
            for name, stage in point.stages.items():
                states[name] = branches[name].advance(states[name], stage)
            taps = {name: branches[name].taps(states[name]) for name in point.stages}
            for name, fused in point(taps, masks).items():
                states[name] = branches[name].put(states[name], fused)
        ends = {name: branch.finish(states[name]) for name, branch in branches.items()}
        return self.readout(ends)

    def loss(self, prediction: Prediction, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the readout's losses: `total` is trained, the others are logged."""
        return self.readout.loss(prediction, batch)

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        branches = dict(self.branches.items())
        return {**branches, "fusion": self.points, "readout": self.readout}


def _build_points(
    branches: Mapping[str, Branch],
    fusion_points: Sequence[Mapping[str, str]],
    mid: Fusion,
    settings: Sequence[Mapping[str, Any]],
) -> list[FusionPoint]:
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


def _says(point: Mapping[str, str], key: str, word: str) -> bool:
    found = point.get(key)
    if found not in (None, word):
        raise ValueError(f"{key}: {found}: a fusion point can have '{key}: {word}', or no {key}")
    return found == word
