"""What the tests of the three datamodules share: an epoch's batches, their comparison, sizes."""

from torch import Tensor, equal

from datamodules.packed.datamodule import PackedDataModule

Batches = list[dict[str, Tensor]]


def epoch_of(module: PackedDataModule, epoch: int) -> Batches:
    loader = module.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return [module.on_after_batch_transfer(batch, 0) for batch in loader]


def same(one: Batches, other: Batches) -> bool:
    return len(one) == len(other) and all(
        a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
        for a, b in zip(one, other, strict=True)
    )


def sizes(module: PackedDataModule) -> dict[str, int]:
    """Samples of each part."""
    return {name: len(rows) for name, rows in module.rows.items()}
