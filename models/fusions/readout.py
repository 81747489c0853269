"""Readouts: how the outputs of the branches become one prediction.

Legend: B samples, M branches, K classes, F features.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones import BranchOutput
from models.contracts import Batch, Criterion, Losses, Prediction


class Readout(nn.Module):
    """Turn the branches' outputs into a prediction and its loss.

    `uses` says what it reads; branches get a head only if a readout uses logits. `heads_beside`
    says whether the paper's parameter counts contain heads of the branches even so.

    Args:
        feature_sizes: F of each branch, in the order of the branches.
        outputs: K, the classes (or 1 for a regression).
    """

    uses: ClassVar[Literal["logits", "features"]] = "logits"
    heads_beside: ClassVar[bool] = True

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int) -> None:
        super().__init__()
        self.feature_sizes = tuple(feature_sizes)
        self.outputs = outputs

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        """Return the prediction for the outputs of the branches, in their order."""
        raise NotImplementedError

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return `total`, which is trained, and any other losses, which are logged.

        It is the criterion of the task, unless the readout has a loss of its own.
        """
        return {"total": criterion(prediction.scores, batch["label"])}


def branch_logits(branches: Mapping[str, BranchOutput]) -> dict[str, Tensor]:
    """Return the logits `(B, K)` of every branch.

    Raises:
        ValueError: if a branch was built without a head.
    """
    logits = {name: out.logits for name, out in branches.items() if out.logits is not None}
    if len(logits) < len(branches):
        bare = ", ".join(name for name in branches if name not in logits)
        raise ValueError(f"expected logits from every branch, got none from {bare}: no head there")
    return logits


def check_features(features: Sequence[Tensor], sizes: Sequence[int]) -> None:
    """Refuse features that are not one `(B, F)` for each of `sizes`, in that order.

    Raises:
        ValueError: says what was expected and what came.
    """
    shapes = [tuple(x.shape) for x in features]
    if [shape[1:] for shape in shapes] != [(size,) for size in sizes]:
        raise ValueError(f"expected features (B, F) with F = {tuple(sizes)}, got shapes {shapes}")


class SumLogits(Readout):
    """Sum of the branches' logits, one loss on the sum (paper 4.1)."""

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        parts = branch_logits(branches)
        return Prediction(torch.stack(list(parts.values())).sum(0), parts)  # (B, K)


class MeanLogits(Readout):
    """Mean of the branches' logits, one loss on the mean (paper 4.3)."""

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        parts = branch_logits(branches)
        return Prediction(torch.stack(list(parts.values())).mean(0), parts)  # (B, K)


class ProbabilityReadout(Readout):
    """A readout that combines the branches' class probabilities, in log space throughout.

    Raises:
        ValueError: for fewer than two classes; a single output has no probability.
    """

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        if outputs < 2:
            raise ValueError(
                f"{type(self).__name__} combines class probabilities: "
                f"it needs two classes or more, got outputs={outputs}"
            )

    def log_probabilities(self, logits: Mapping[str, Tensor]) -> Tensor:
        """Return the log-probabilities of every branch `(M, B, K)`, in float32 at least."""
        stacked = torch.stack(list(logits.values()))
        return F.log_softmax(
            stacked, dim=2, dtype=torch.promote_types(stacked.dtype, torch.float32)
        )


ReadoutBuilder = type[Readout] | partial[Readout]
"""Builds a readout; called with the branches' feature sizes and `outputs=K`.

A class or a partial of one, as a config gives it: what it reads is known before it is built.
"""


def readout_class(builder: ReadoutBuilder) -> type[Readout]:
    """Return the class of the readouts that a builder builds.

    Raises:
        ValueError: if it is neither a class of readouts nor a partial of one.
    """
    found = builder.func if isinstance(builder, partial) else builder
    if isinstance(found, type) and issubclass(found, Readout):
        return found
    raise ValueError(
        f"readout: expected a class that extends models.fusions.Readout, or a partial of one, "
        f"found {builder!r}"
    )
