"""What every task shares: a network, a training rule, and scores collected over whole splits."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from models.contracts import Batch, Losses, Network, Prediction
from models.tasks.training import TrainingRule

T = TypeVar("T")


class SplitScores(NamedTuple):
    """All predictions on one split, sorted by id: `(N,)`, `(N,)`, `(N, K)`, and their metrics."""

    ids: Tensor
    labels: Tensor
    scores: Tensor
    metrics: dict[str, float]


class Task(pl.LightningModule):
    """Train a network by a rule, and after each epoch predict every evaluation split.

    A task owns its criterion, the loss of every network that has none of its own, and its metrics.

    Args:
        network: of branches, or a whole-network baseline.
        training: the rule by which it is optimized.
        splits: names of the evaluation splits, in the order of the datamodule's loaders.
    """

    def __init__(self, network: Network, *, training: TrainingRule, splits: Sequence[str]) -> None:
        super().__init__()
        self.network: Network = network
        self.rule = training
        self.splits = tuple(splits)
        self.automatic_optimization = training.automatic
        self.evaluations: dict[str, SplitScores] = {}
        self.train_metrics: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._collected: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {}

    @staticmethod
    def criterion(scores: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch, a mean, from its scores `(B, K)` and labels `(B,)`."""
        raise NotImplementedError

    def losses(self, prediction: Prediction, batch: Batch) -> Losses:
        """Return the network's losses: `total` is trained, the others are logged."""
        return self.network.loss(prediction, batch, self.criterion)

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the metrics of a whole split from its scores `(N, K)` and labels `(N,)`."""
        raise NotImplementedError

    def batch_metrics(self, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
        """Return the batch means, beside the losses, that the training log shows."""
        return {}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return self.rule.configure(self.network)

    def on_train_epoch_start(self) -> None:
        self._sums, self._counts = {}, {}

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor | None:
        return self.rule.step(self, batch)

    def record(self, prediction: Prediction, losses: Mapping[str, Tensor], batch: Batch) -> None:
        """Add one training batch to the epoch's means; nothing is copied off the device here."""
        count = len(batch["label"])
        named = {"loss" if name == "total" else name: loss for name, loss in losses.items()}
        for name, value in {**named, **self.batch_metrics(prediction, batch)}.items():
            self._sums[name] = self._sums.get(name, 0) + count * value.detach()
            self._counts[name] = self._counts.get(name, 0) + count

    def on_train_epoch_end(self) -> None:
        self.rule.end_epoch(self)

    def on_validation_epoch_start(self) -> None:
        # Lightning validates inside the training epoch, after its last batch.
        sums = gather({name: float(total) for name, total in self._sums.items()})
        counts = gather(self._counts)
        self.train_metrics = {
            name: sum(part[name] for part in sums) / sum(part[name] for part in counts)
            for name in self._sums
        }
        self._collected = {split: [] for split in self.splits}

    def validation_step(
        self, batch: dict[str, Tensor], batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        scores = self.network(batch).scores.float()
        self._collected[self.splits[dataloader_idx]].append((batch["id"], batch["label"], scores))

    def on_validation_epoch_end(self) -> None:
        for split, parts in self._collected.items():
            own = tuple(torch.cat(column).cpu() for column in zip(*parts, strict=True))
            ids, labels, scores = map(torch.cat, zip(*gather(own), strict=True))
            order = ids.argsort()
            ids, labels, scores = ids[order], labels[order], scores[order]
            self.evaluations[split] = SplitScores(ids, labels, scores, self.metrics(scores, labels))
        self._collected = {}


def gather(value: T) -> list[T]:
    """Return a value of every process that trains this network, in the same order everywhere."""
    if not (dist.is_available() and dist.is_initialized()):
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)  # sizes may differ, as the shares of a split do
    return values
