"""A network of branches that exchange features at fusion points and end in one readout.

Legend: B samples, C channels, K outputs; `*` stands for any spatial axes, or none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.backbones import Branch, BranchBuilder, BranchOutput, BranchState
from models.contracts import Batch, Criterion, Losses, Prediction
from models.fusion_point import FusionPoint
from models.fusions.readout import Readout, ReadoutBuilder, readout_class


class StagedNetwork(nn.Module):
    """Branches walked from fusion point to fusion point, then a readout.

    Args:
        branches: by modality; their order is the order of everything that follows.
        points: where features are exchanged, from early to late.
        readout: turns the branches' outputs into a prediction.
        modality_dropout: the probability that a sample of a training batch loses one modality,
            each as likely: its features are zero at every fusion point, and its features and logits
            are zero at the end. One at most is lost, so never all; what is kept is not scaled. An
            option of ours (after Neverova et al. 2016, who drop each one independently).

    The attribute `absent` holds modalities that all samples lose in this way, in training and in
    evaluation; it is empty unless somebody asks what the network does without them.

    Raises:
        ValueError: for a probability outside [0, 1], or above 0 with a single branch.
    """

    def __init__(
        self,
        branches: Mapping[str, Branch],
        *,
        points: Sequence[FusionPoint],
        readout: Readout,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= modality_dropout <= 1 or (modality_dropout and len(branches) < 2):
            raise ValueError(
                "expected modality_dropout in [0, 1], and 0 with a single modality, got "
                f"{modality_dropout} with {', '.join(branches)}"
            )
        self.modality_dropout = modality_dropout
        self.absent: frozenset[str] = frozenset()
        self.branches = nn.ModuleDict(branches)
        self.points = nn.ModuleList(points)
        self.readout = readout

    @classmethod
    def build(
        cls,
        branches: Mapping[str, BranchBuilder],
        *,
        outputs: int,
        readout: ReadoutBuilder,
        points: Sequence[Mapping[str, Any]] = (),
        all_heads: bool = False,
        modality_dropout: float = 0.0,
    ) -> "StagedNetwork":
        """Build the network that a config describes.

        Args:
            branches: a builder for each modality, in the order of everything that follows.
            outputs: K, classes, or 1 for a regression.
            readout: builder, called with the branches' feature sizes.
            points: for each fusion point, from early to late, `stages` and `fusion`, the builder
                of its module, and maybe options, as `FusionPoint` has them.
            all_heads: build every branch's head even if the readout reads features, where the
                paper's parameter counts contain them (the readout's `heads_beside`).
            modality_dropout: see the class.

        Raises:
            ValueError: for no branch at all, for a point that there cannot be, for what is no
                readout or no mid-level fusion, or as the class.
        """
        if not branches:
            raise ValueError("a network needs at least one branch, found none")
        kind = readout_class(readout)
        heads = outputs if kind.uses == "logits" or (all_heads and kind.heads_beside) else None
        built = {name: builder(outputs=heads) for name, builder in branches.items()}
        sizes = [branch.feature_size for branch in built.values()]
        met = [FusionPoint(built, **point) for point in points]
        return cls(
            built,
            points=met,
            readout=readout(sizes, outputs=outputs),
            modality_dropout=modality_dropout,
        )

    def forward(self, batch: Batch) -> Prediction:
        """Predict from `batch[modality]` for every branch, and its `<modality>_length` if given."""
        branches, points = self._branches(), cast(Sequence[FusionPoint], self.points)
        states: dict[str, BranchState] = {
            name: branch.begin(batch[name]) for name, branch in branches.items()
        }
        masks = {
            name: branch.valid_steps(batch[name], batch.get(f"{name}_length"))
            for name, branch in branches.items()
        }
        lost = self._lost(batch)
        for point in points:
            for name, stage in point.stages.items():
                states[name] = branches[name].advance(states[name], stage)
            taps = {
                name: [_without(x, lost.get(name)) for x in branches[name].taps(states[name])]
                for name in point.stages
            }
            for name, fused in point(taps, masks).items():
                states[name] = branches[name].put(states[name], fused)
        ends = {}
        for name, branch in branches.items():
            features, logits = branch.finish(states[name])
            ends[name] = BranchOutput(
                _without(features, lost.get(name)),
                None if logits is None else _without(logits, lost.get(name)),
            )
        return self.readout(ends)

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the readout's losses: `total` is trained, the others are logged."""
        return self.readout.loss(prediction, batch, criterion)

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        return {**self._branches(), "fusion": self.points, "readout": self.readout}

    def branch_parameters(self) -> dict[str, list[nn.Parameter]]:
        """Return each branch's own parameters, and with them those of all fusion points."""
        shared = list(self.points.parameters())
        return {name: [*branch.parameters(), *shared] for name, branch in self._branches().items()}

    def _branches(self) -> dict[str, Branch]:
        return cast(dict[str, Branch], dict(self.branches.items()))

    def _lost(self, batch: Batch) -> dict[str, Tensor]:
        """Return for each modality which samples lose it, `(B,)`; nothing where none may."""
        names = list(self.branches)
        like = batch[names[0]]
        size = like.shape[0]
        if self.absent:
            return dict.fromkeys(self.absent, like.new_ones(size, dtype=torch.bool))
        if not self.training or not self.modality_dropout:
            return {}
        loses = torch.rand(size, device=like.device) < self.modality_dropout
        which = torch.randint(len(names), (size,), device=like.device)
        return {name: loses & (which == number) for number, name in enumerate(names)}


def _without(x: Tensor, lost: Tensor | None) -> Tensor:
    """Return features `(B, *)` with zeros in the samples that lost them."""
    if lost is None:
        return x
    return x.masked_fill(lost[(..., *[None] * (x.ndim - 1))], 0)
