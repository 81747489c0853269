from pathlib import Path

from pytorch_lightning import LightningDataModule
from torch import equal

from tests.datamodules.loading import epoch_of
from tests.datamodules.mosei.test_datamodule import build
from tests.mosei_data import write_packed


def test_lightning_gets_the_very_batches(tmp_path: Path) -> None:
    root = write_packed(tmp_path / "packed")
    wanted = epoch_of(build(root), 0)
    given = build(root).lightning()
    assert isinstance(given, LightningDataModule)
    given.prepare_data()
    given.setup("fit")
    loader = given.train_dataloader()
    loader.sampler.set_epoch(0)
    found = [given.on_after_batch_transfer(batch, 0) for batch in loader]
    assert len(found) == len(wanted) > 1
    for one, other in zip(found, wanted, strict=True):
        assert all(equal(one[key], other[key]) for key in other)
    assert len(given.val_dataloader()) == len(given.test_dataloader()) == 2
