"""What the datamodules share: loaders over the parts of a packed set."""

from pathlib import Path

import numpy as np
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from datamodules.prepare.packed import manifest_hash
from datamodules.rows import Batch, PackedRows, batches


class PackedDataModule(LightningDataModule):
    """Batches of a packed set: a training part and one part for each evaluation split.

    A subclass says in `setup` which rows belong to which part (`rows`), and what a batch of them
    holds, in training and in evaluation.

    Args:
        root: the packed folder.
        batch_size: of training.
        evaluation_batch_size: of evaluation, by default the same.
        workers: loader processes; the batches do not depend on it.
        evaluation_names: the parts that are evaluated, in the order of their loaders.
    """

    rows: dict[str, np.ndarray]
    training_rows: PackedRows
    evaluation_rows: PackedRows

    def __init__(
        self,
        root: str | Path,
        *,
        batch_size: int,
        evaluation_batch_size: int | None,
        workers: int,
        evaluation_names: list[str],
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.batch_size = batch_size
        self.evaluation_batch_size = evaluation_batch_size or batch_size
        self.workers = workers
        self.evaluation_names = evaluation_names

    @property
    def manifest_hash(self) -> str:
        """The hash of the packed set's manifest, by which runs are told apart."""
        return manifest_hash(self.root)

    def train_dataloader(self) -> DataLoader[Batch]:
        return batches(
            self.training_rows,
            self.rows["train"],
            batch_size=self.batch_size,
            shuffle=True,
            workers=self.workers,
        )

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        """One loader for each of `evaluation_names`."""
        return [
            batches(
                self.evaluation_rows,
                self.rows[name],
                batch_size=self.evaluation_batch_size,
                shuffle=False,
                workers=self.workers,
            )
            for name in self.evaluation_names
        ]

    def test_dataloader(self) -> list[DataLoader[Batch]]:
        return self.val_dataloader()
