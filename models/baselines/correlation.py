"""Deep canonical correlation: the loss, and what the networks trained by it share.

Legend: B samples, K dimensions of a view.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.baselines.sentiment import SentimentNetwork
from models.contracts import Batch, Criterion, Losses, Prediction

RIDGE = 1e-3
VIEWS = ("first_view", "second_view")


def total_correlation(x: Tensor, y: Tensor, *, ridge: float = RIDGE) -> Tensor:
    """Return the sum of the canonical correlations of two views (Andrew et al. 2013).

    The sum of the singular values of `S_xx^(-1/2) S_xy S_yy^(-1/2)`, with `ridge` added to the
    diagonals of `S_xx` and `S_yy`. Cholesky factors stand in for the roots, from which they differ
    by a rotation that leaves the singular values as they are; so the slope is finite also where
    eigenvalues are equal. In float64 throughout.

    Args:
        x: `(B, K)`.
        y: `(B, K')`.
        ridge: keeps the covariances regular.

    Raises:
        ValueError: if there are no more samples than dimensions: the correlations are then 1
            whatever the views are.
    """
    count, size = len(x), max(x.shape[1], y.shape[1])
    if count <= size:
        raise ValueError(
            f"correlations of {size} dimensions need a batch of more than {size} samples, found "
            f"{count}: choose a larger batch_size or fewer dimensions"
        )
    x, y = x.double() - x.double().mean(0), y.double() - y.double().mean(0)
    roots = []
    for view in (x, y):
        covariance = view.T @ view / (count - 1)
        floor = ridge * torch.eye(view.shape[1], dtype=view.dtype, device=view.device)
        roots.append(torch.linalg.cholesky(covariance + floor))
    between = x.T @ y / (count - 1)
    half = torch.linalg.solve_triangular(roots[0], between, upper=False)
    whole = torch.linalg.solve_triangular(roots[1], half.T, upper=False)
    return torch.linalg.svdvals(whole).sum()


class CorrelatedNetwork(SentimentNetwork):
    """A network whose two views are trained by their correlation alone, then a head on top.

    In the phase `correlation` the views are trained, in the phase `prediction` they are frozen and
    the head is; see `models.tasks.Phases`. The head never sends a gradient into the views.

    Args:
        features: see `SentimentNetwork`.
        dimensions: K of both views.

    A short batch at the end of an epoch, of no more than K samples, is left out of the correlation.

    Raises:
        ValueError: in training, for two such batches one after the other: nothing would be trained.
    """

    phases: ClassVar[tuple[str, ...]] = ("correlation", "prediction")

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        dimensions: int,
    ) -> None:
        super().__init__(features)
        self.dimensions = dimensions
        self.short_batches = 0  # one after the other
        self.phase = self.phases[0]
        self.views = nn.ModuleDict()
        self.readout: nn.Module

    def enter(self, phase: str) -> None:
        """Go on to a phase: say what `total` is, and whether the views are in training mode.

        Raises:
            ValueError: for a phase that there is not.
        """
        if phase not in self.phases:
            raise ValueError(
                f"{type(self).__name__} has no phase '{phase}'; choose from {self.phases}"
            )
        self.phase = phase
        self.views.train(self.training and phase == "correlation")

    def phase_parts(self) -> dict[str, nn.Module]:
        """Return what each phase trains."""
        return dict(zip(self.phases, (self.views, self.readout), strict=True))

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the phase's loss as `total`: the correlation's, or the criterion of the head."""
        views = [prediction.parts[name] for name in VIEWS]
        short = len(views[0]) <= self.dimensions
        if self.training:  # a batch of the validation says nothing about those of the training
            self._count_short_batches(len(views[0]), short)
        correlation = views[0].sum() * 0 if short else total_correlation(*views).float()
        error = criterion(prediction.scores, batch["label"])
        losses = {"correlation": -correlation, "prediction": error}
        return {"total": losses[self.phase], **losses}

    def _count_short_batches(self, size: int, short: bool) -> None:
        self.short_batches = self.short_batches + 1 if short else 0
        if self.short_batches > 1:
            raise ValueError(
                f"{type(self).__name__} correlates views of {self.dimensions} dimensions, which "
                f"needs batches of more samples than that, found two of {size}: choose a larger "
                "batch_size or fewer fusion.network.dimensions"
            )


def head(inputs: int) -> nn.Sequential:
    """Return a linear layer to one number, on standardised inputs: a correlation has no scale."""
    return nn.Sequential(nn.BatchNorm1d(inputs, affine=False), nn.Linear(inputs, 1))
