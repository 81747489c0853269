"""What the datamodules share: a packed set, made first if it is the sample, and its loaders."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from datamodules.prepare.packed import PackedDataset, manifest_hash
from datamodules.rows import Batch, PackedRows, batches


class PackedDataModule(LightningDataModule):
    """Batches of a packed set: a training part and one part for each evaluation split.

    A subclass names its task, whose sample `datamodules.sample.<task>` makes, and says in `setup`
    which rows belong to which part (`rows`), and what a batch of them holds, in training and in
    evaluation.

    Args:
        root: the packed folder.
        modalities: those to load, in the order of the batch.
        seed: of the run.
        protocol: the packed set has to be made under it.
        prepared: settings of prepare that the packed set has to be made with.
        sample: render and prepare the sample data with these arguments of `ensure_sample` where
            `root` does not hold it yet.
        batch_size: of training.
        evaluation_batch_size: of evaluation, by default the same.
        workers: loader processes; the batches do not depend on it.
        evaluation_names: the parts that are evaluated, in the order of their loaders.
    """

    task: ClassVar[str]
    rows: dict[str, np.ndarray]
    training_rows: PackedRows
    evaluation_rows: PackedRows

    def __init__(
        self,
        root: str | Path,
        *,
        modalities: Sequence[str],
        seed: int,
        protocol: str,
        prepared: Mapping[str, Any] | None,
        sample: Mapping[str, Any] | None,
        batch_size: int,
        evaluation_batch_size: int | None,
        workers: int,
        evaluation_names: list[str],
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.modalities = tuple(modalities)
        self.seed = seed
        self.protocol = protocol
        self.prepared = dict(prepared or {})
        self.sample = None if sample is None else dict(sample)
        self.batch_size = batch_size
        self.evaluation_batch_size = evaluation_batch_size or batch_size
        self.workers = workers
        self.evaluation_names = evaluation_names
        self.ids: list[str] = []

    def prepare_data(self) -> None:
        if self.sample is not None:
            # Rendering needs libraries that nobody else does.
            module = import_module(f"datamodules.sample.{self.task}")
            module.ensure_sample(self.root, protocol=self.protocol, **self.sample)

    def open_packed(self) -> PackedDataset:
        """Open the packed set, and refuse one that was made otherwise than this run wants."""
        packed = PackedDataset(self.root, task=self.task, protocol=self.protocol)
        packed.check_settings(self.prepared)
        return packed

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
