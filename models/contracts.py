"""What models rely on and offer, as Protocols: networks, mid-level fusions, what a rule trains.

A class meets a Protocol by having its members; it need not inherit from it. The base classes
`Branch`, `Readout` and `Task` are contracts too, and stand beside what they share.

Legend: B samples, C channels, K outputs, T steps; `*` stands for any spatial axes, or none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

Batch = Mapping[str, Tensor]
"""By name: each modality, its `<modality>_length` where lengths vary, `label` and `id`."""

Losses = dict[str, Tensor]
"""`total`, which is trained, and any other losses, which are logged."""

Criterion = Callable[[Tensor, Tensor], Tensor]
"""A task's loss: of scores `(B, K)` and labels `(B,)`, their mean over the batch."""

MidFusionBuilder = Callable[..., "MidFusion"]
"""Builds a mid-level fusion; called with the channels of its inputs, and settings by keyword."""


class Prediction(NamedTuple):
    """What a network predicts: `scores` `(B, K)` decide, `parts` hold what else was computed."""

    scores: Tensor
    parts: dict[str, Tensor]


@runtime_checkable
class Network(Protocol):
    """A module that predicts from a batch and knows its losses: of branches, or a whole of its own.

    `nn.Module` gives `__call__`, `parameters` and `zero_grad`.
    """

    def __call__(self, batch: Batch, /) -> Prediction: ...

    def forward(self, batch: Batch) -> Prediction:
        """Predict from the batch's modalities; labels are not looked at."""
        ...

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the losses of a prediction for the batch's labels.

        A network with a published loss of its own takes that one and leaves the criterion aside.

        Args:
            prediction: of this network, for this batch.
            batch: has `label` `(B,)`.
            criterion: the task's loss.
        """
        ...

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        ...

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Return every parameter once."""
        ...

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of every parameter."""
        ...


@runtime_checkable
class BranchedNetwork(Network, Protocol):
    """A network whose branches can each be trained by a pass of their own (`Alternating`).

    Where the readout combines logits, the parts of its predictions are each branch's logits
    `(B, K)` by the branch's name.
    """

    def branch_parameters(self) -> dict[str, list[nn.Parameter]]:
        """Return what the pass of each branch trains; passes may share parameters."""
        ...


@runtime_checkable
class PhasedNetwork(Network, Protocol):
    """A network that is trained in phases, one after the other (`Phases`)."""

    def enter(self, phase: str) -> None:
        """Go on to a phase, whose loss `total` is from here on; called before every batch."""
        ...

    def phase_parts(self) -> dict[str, nn.Module]:
        """Return the phases in order, each with the part that is first trained in it."""
        ...


@runtime_checkable
class MidFusion(Protocol):
    """A module that exchanges features between branches: one `(B, C, *)` a tap, shapes kept."""

    @property
    def takes_masks(self) -> bool:
        """Whether it is also given masks, which say what steps are no padding."""
        ...

    def __call__(
        self, features: Sequence[Tensor], masks: Sequence[Tensor | None] = ..., /
    ) -> list[Tensor]:
        """Exchange features.

        Args:
            features: `(B, C, *)` of each tap, in the order of the channels that it was built with.
            masks: `(B, T)` of booleans for each of them, or `None` where all steps count; given
                where `takes_masks` says so, and left out elsewhere.

        Returns:
            New features in the same order, each of its own shape.
        """
        ...


class TrainedTask(Protocol):
    """What a training rule sees of the task that it trains, a Lightning module."""

    @property
    def network(self) -> Network: ...

    @property
    def current_epoch(self) -> int: ...

    def losses(self, prediction: Prediction, batch: Batch) -> Losses:
        """Return the network's losses, by the task's criterion where it has none of its own."""
        ...

    def record(self, prediction: Prediction, losses: Mapping[str, Tensor], batch: Batch) -> None:
        """Add a training batch to the epoch's log."""
        ...

    def optimizers(self) -> Any:
        """Return Lightning's optimizer, or a list where there are several."""
        ...

    def lr_schedulers(self) -> Any:
        """Return Lightning's schedule, a list where there are several, or `None`."""
        ...

    def manual_backward(self, loss: Tensor) -> None:
        """Compute gradients, in the trainer's precision."""
        ...
