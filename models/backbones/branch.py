"""The contract of a branch: a unimodal network cut into named stages.

A network with several modalities walks its branches stage by stage and lets them exchange features
in between. A branch never knows what is done with its features.

Legend: B samples, C channels, F features, K outputs; `*` stands for any spatial axes, or none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn


class BranchState(NamedTuple):
    """How far a branch has come: its current tensors and the number of stages already run.

    Most branches carry one tensor `(B, C, *)`; one with two persons carries two, and so has two
    taps at a fusion point.
    """

    values: list[Tensor]
    done: int


class BranchOutput(NamedTuple):
    """What a branch hands to a readout: features `(B, F)`, and logits `(B, K)` if it has a head."""

    features: Tensor
    logits: Tensor | None


class Branch(nn.Module):
    """A unimodal network as a sequence of named stages, then a summary, then a linear head.

    Args:
        stages: the stages by name, in the order in which they run.
        channels: for each stage the channels of each tensor that it leaves behind.
        feature_size: F, the size of the summary that the head reads.
        outputs: K; `None` builds no head, for readouts that use features.
    """

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        *,
        channels: Mapping[str, Sequence[int]],
        feature_size: int,
        outputs: int | None,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.channels = {name: tuple(channels[name]) for name in stages}
        self.feature_size = feature_size
        self.head = None if outputs is None else nn.Linear(feature_size, outputs)

    def begin(self, x: Tensor) -> BranchState:
        """Wrap the raw input of the modality, before any stage has run."""
        return BranchState([x], 0)

    def advance(self, state: BranchState, until: str) -> BranchState:
        """Run every stage that is still to come, up to and including `until`.

        Raises:
            ValueError: if there is no such stage, or it lies behind the state already.
        """
        end = self.position(until) + 1
        if end <= state.done:
            raise ValueError(f"stage '{until}' has already run: fusion points must move forward")
        return self._run(state, end)

    def valid_steps(self, x: Tensor, length: Tensor | None) -> Tensor | None:
        """Return which steps of the taps of an input `x` are no padding, `(B, T)`; `None` for all.

        A branch whose taps keep the steps of its input says so from the lengths `(B,)`.
        """
        return None

    def taps(self, state: BranchState) -> list[Tensor]:
        """Return the tensors that a fusion point may exchange, each `(B, C, *)`."""
        return state.values

    def put(self, state: BranchState, taps: Sequence[Tensor]) -> BranchState:
        """Go on with `taps` in place of the state's own tensors."""
        return state._replace(values=list(taps))

    def finish(self, state: BranchState) -> BranchOutput:
        """Run the stages that are left, the summary and the head."""
        features = self.summarise(self._run(state, len(self.stages)).values)
        return BranchOutput(features, None if self.head is None else self.head(features))

    def summarise(self, values: list[Tensor]) -> Tensor:
        """Turn the tensors of the last stage into one feature vector a sample, `(B, F)`."""
        raise NotImplementedError

    def run_stage(self, name: str, values: list[Tensor]) -> list[Tensor]:
        """Run one stage; every tensor of the state passes through the same weights by default."""
        stage = self.stages[name]
        return [stage(value) for value in values]

    def convert(self, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the tensors of a published file of weights this network's names and shapes.

        What has no place here keeps its name, for the loader to report.

        Raises:
            ValueError: if no published weights are known for this network.
        """
        raise ValueError(f"{type(self).__name__} has no published weights to start from")

    def position(self, stage: str) -> int:
        """Return the index of a stage, or say which ones there are."""
        names = list(self.stages)
        if stage not in names:
            raise ValueError(
                f"{type(self).__name__} has no stage '{stage}'; its stages are {', '.join(names)}"
            )
        return names.index(stage)

    def _run(self, state: BranchState, end: int) -> BranchState:
        values = state.values
        for name in list(self.stages)[state.done : end]:
            values = self.run_stage(name, values)
        return BranchState(values, end)


BranchBuilder = Callable[..., Branch]
"""Builds a branch; called with `outputs=K`, or `outputs=None` for one without a head."""
