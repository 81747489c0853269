"""A datamodule of a packed set as one of Lightning's."""

from typing import Protocol

from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from datamodules.packed.batch import Batch


class Batches(Protocol):
    """What a `PackedDataModule` offers."""

    def prepare_data(self) -> None: ...

    def setup(self, stage: str) -> None: ...

    def train_dataloader(self) -> DataLoader[Batch]: ...

    def val_dataloader(self) -> list[DataLoader[Batch]]: ...

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch: ...


class LightningPacked(LightningDataModule):
    """Pass on what Lightning asks for; `PackedDataModule.lightning` makes one.

    Args:
        data: whose batches it gives.
    """

    def __init__(self, data: Batches) -> None:
        super().__init__()
        self.data = data

    def prepare_data(self) -> None:
        self.data.prepare_data()

    def setup(self, stage: str) -> None:
        self.data.setup(stage)

    def train_dataloader(self) -> DataLoader[Batch]:
        return self.data.train_dataloader()

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        return self.data.val_dataloader()

    def test_dataloader(self) -> list[DataLoader[Batch]]:
        return self.data.val_dataloader()

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        return self.data.on_after_batch_transfer(batch, dataloader_idx)
