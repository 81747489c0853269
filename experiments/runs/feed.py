"""How the data of a run reach Lightning, which the datamodules themselves do not need."""

from collections.abc import Iterable, Sequence

import pytorch_lightning as pl

from experiments.contracts import Batch, DataModule


def lightning_data(data: DataModule) -> pl.LightningDataModule:
    """Return what a trainer takes: a `LightningDataModule` as it is, any other within one."""
    return data if isinstance(data, pl.LightningDataModule) else Feed(data)


class Feed(pl.LightningDataModule):
    """Pass on what Lightning asks for to a `DataModule` of the contracts.

    Args:
        data: of a run.
    """

    def __init__(self, data: DataModule) -> None:
        super().__init__()
        self.data = data

    def prepare_data(self) -> None:
        self.data.prepare_data()

    def setup(self, stage: str) -> None:
        self.data.setup(stage)

    def train_dataloader(self) -> Iterable[Batch]:
        return self.data.train_dataloader()

    def val_dataloader(self) -> Sequence[Iterable[Batch]]:
        return self.data.val_dataloader()

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        return self.data.on_after_batch_transfer(batch, dataloader_idx)
