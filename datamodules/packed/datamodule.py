"""What the datamodules share: a packed set, made first if it is the sample, and its loaders."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NotRequired, TypedDict

import numpy as np

from datamodules.packed.batch import Batch, Change
from datamodules.packed.dataset import PackedDataset, manifest_hash, read_manifest
from datamodules.packed.sample import RenderedSample
from datamodules.packed.settings import read_group
from datamodules.packed.workers import cores

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule
    from torch.utils.data import DataLoader

    from datamodules.packed.rows import PackedRows


class Common(TypedDict):
    """The keyword arguments of every datamodule; `PackedDataModule` says what they mean."""

    modalities: Sequence[str]
    batch_size: int
    seed: int
    protocol: str
    prepared: NotRequired[Mapping[str, Any] | None]
    sample: NotRequired[Mapping[str, Any] | None]
    evaluation_batch_size: NotRequired[int | None]
    workers: NotRequired[int | None]


class PackedDataModule:
    """Batches of a packed set: a training part and one part for each evaluation split.

    Constructing one reads, renders and writes nothing, and takes no torch, which comes with the
    first batch: to plan a table is to construct many, and to ask for their identity. A subclass
    names its task and the classes of its rendered sample and of the settings of prepare. In `setup`
    it says which rows belong to which part (`rows`), and what a batch of them holds, in training
    and in evaluation. Its constructor adds arguments of its own to the common ones.

    Args:
        root: the packed folder.
        evaluation_names: the parts that are evaluated, in the order of their loaders.
        modalities: those to load, in the order of the batch.
        batch_size: of training.
        seed: of the run; with the epoch it decides the order, and what is drawn.
        protocol: the packed set has to be made under it.
        prepared: settings of prepare that the packed set has to be made with.
        sample: render and prepare the sample data where `root` does not hold it yet, with these
            arguments of the task's `RenderedSample`.
        evaluation_batch_size: by default that of training.
        workers: loader processes, on which the batches do not depend; `None` for four where there
            is a GPU to be kept busy, and none where the processor trains.
    """

    task: ClassVar[str]
    sample_class: ClassVar[type[RenderedSample]]
    settings_class: ClassVar[type[Any]]  # of prepare
    classes: ClassVar[Sequence[str] | None] = None  # their names, where labels are classes
    rows: dict[str, np.ndarray]
    training_rows: "PackedRows"
    evaluation_rows: "PackedRows"

    def __init__(
        self,
        root: str | Path,
        *,
        evaluation_names: list[str],
        modalities: Sequence[str],
        batch_size: int,
        seed: int,
        protocol: str,
        prepared: Mapping[str, Any] | None = None,
        sample: Mapping[str, Any] | None = None,
        evaluation_batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.root = Path(root)
        self.evaluation_names = evaluation_names
        self.modalities = tuple(modalities)
        self.batch_size = batch_size
        self.seed = seed
        self.protocol = protocol
        self.prepared = dict(prepared or {})
        self.sample: RenderedSample | None = None
        if sample is not None:
            self.sample = self.sample_class(root=self.root, protocol=protocol, **sample)
        self.evaluation_batch_size = (
            batch_size if evaluation_batch_size is None else evaluation_batch_size
        )
        self.wanted_workers = workers
        self.ids: list[str] = []

    def prepare_data(self) -> None:
        if self.sample is not None:
            self.sample.ensure()

    def setup(self, stage: str | None = None) -> None:
        """Open the packed set and say which rows belong to which part; a second call does nothing.

        Raises:
            DataError: as the data set's own class says.
        """
        raise NotImplementedError

    def open_packed(self) -> PackedDataset:
        """Open the packed set, and refuse one that was made otherwise than this run wants."""
        packed = PackedDataset(self.root, task=self.task, protocol=self.protocol)
        if self.sample is not None:
            self.sample.check(packed.manifest)
        packed.check_settings(self.prepared)
        return packed

    def change_evaluation(self, changes: Mapping[str, Change]) -> None:
        """Change the samples of the evaluation splits as they are loaded, from now on.

        Args:
            changes: packed array -> what is done to each of its samples; empty for nothing.
        """
        self.evaluation_rows.changes = dict(changes)

    @property
    def identity(self) -> str:
        """The hash by which runs on other data are told apart; no array is read for it.

        A rendered sample is known by its generator's version and its settings, whether or not it
        is there yet; any other packed set by its manifest.

        Raises:
            DataError: the packed set is not there, and is no sample that could be rendered.
        """
        return self.manifest_hash if self.sample is None else self.sample.identity

    @property
    def provenance(self) -> str:
        """Where the data come from: `sample` (rendered by this project) or `real`.

        Raises:
            DataError: as `identity` says.
        """
        if self.sample is not None:
            return "sample"
        return str(read_manifest(self.root)["provenance"])

    @property
    def preparation(self) -> dict[str, Any]:
        """What the packed set was made with: settings, provenance, and maybe a text encoder.

        Raises:
            DataError: as `identity` says.
        """
        manifest = read_manifest(self.root)
        source = manifest.get("source", {})
        encoder = {name: source[name] for name in ("text_encoder",) if name in source}
        made = {name: manifest[name] for name in ("settings", "provenance")}
        return {**made, **encoder}

    def prepared_with(self, preparation: Mapping[str, Any] | None) -> Any:
        """The settings of prepare, for samples that are of no packed set.

        Args:
            preparation: as the property says it; `None` for what the configuration says, and the
                defaults.

        Raises:
            DataError: there is a setting that this version does not know.
        """
        if preparation is not None:
            return read_group(self.settings_class, preparation["settings"], "preparation")
        if self.sample is not None:
            return self.sample.settings
        return read_group(self.settings_class, self.prepared, "prepared")

    @property
    def manifest_hash(self) -> str:
        """The hash of the packed set's manifest; a sample has none before it is prepared."""
        return manifest_hash(self.root)

    @property
    def workers(self) -> int:
        """How many loader processes there are."""
        import torch

        if self.wanted_workers is not None:
            return self.wanted_workers
        return min(4, cores()) if torch.cuda.is_available() else 0

    def train_dataloader(self) -> "DataLoader[Batch]":
        from datamodules.packed.rows import batches

        return batches(
            self.training_rows,
            self.rows["train"],
            batch_size=self.batch_size,
            shuffle=True,
            workers=self.workers,
        )

    def val_dataloader(self) -> "list[DataLoader[Batch]]":
        """One loader for each of `evaluation_names`."""
        from datamodules.packed.rows import batches

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

    def lightning(self) -> "LightningDataModule":
        """Return the same batches as a `LightningDataModule`, which a trainer takes.

        `trainer.fit(module, datamodule=data.lightning())`. Lightning is imported here, and not
        before: that takes longer than to plan a table.
        """
        from datamodules.packed.lightning import LightningPacked

        return LightningPacked(self)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn a loaded batch, on the device, into what the network takes: here it is that."""
        return batch
