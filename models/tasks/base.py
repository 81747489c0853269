"""What every task shares: a network, a training rule, and scores collected over whole splits."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.fusions import Prediction
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

    Args:
        network: predicts from a batch, `network(batch) -> Prediction`, and knows its losses,
            `network.loss(prediction, batch) -> dict` with `total`; a whole-network baseline has
            the same two methods.
        training: the rule by which it is optimized.
        splits: names of the evaluation splits, in the order of the datamodule's loaders.
    """

    def __init__(
        self, network: nn.Module, *, training: TrainingRule, splits: Sequence[str]
    ) -> None:
        super().__init__()
        self.network: Any = network
        self.rule = training
        self.splits = tuple(splits)
        self.automatic_optimization = training.automatic
        self.evaluations: dict[str, SplitScores] = {}
        self.train_metrics: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._collected: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {}

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the metrics of a whole split from its scores `(N, K)` and labels `(N,)`."""
        raise NotImplementedError

    def batch_metrics(self, prediction: Prediction, batch: Mapping[str, Tensor]) -> dict[str, Any]:
        """Return the batch means, beside the losses, that the training log shows."""
        return {}

    def configure_optimizers(self) -> Any:
        return self.rule.configure(self.network)

    def on_train_epoch_start(self) -> None:
        self._sums, self._counts = {}, {}

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor | None:
        return self.rule.step(self, batch)

    def record(
        self,
        prediction: Prediction,
        losses: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
    ) -> None:
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
