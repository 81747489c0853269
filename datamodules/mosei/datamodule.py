"""CMU-MOSEI: batches of face, voice and text sequences with a sentiment, split by videos."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from datamodules.mosei.sample.render import ENCODER, MoseiSample
from datamodules.mosei.segment import MoseiSettings
from datamodules.mosei.splits import check_parts, divide
from datamodules.packed.batch import Batch
from datamodules.packed.datamodule import Common, PackedDataModule
from datamodules.packed.dataset import INDEX, PackedDataset
from datamodules.packed.errors import DataError

if TYPE_CHECKING:
    from datamodules.mosei.own import OwnMosei


class MOSEI(PackedDataModule):
    """Segments of a packed CMU-MOSEI (section 5.1 of the paper), each with its mean sentiment.

    A batch holds the chosen modalities in their order, (B, C, T): `visual` (C = 35), `audio` (74)
    and `text` (as wide as the encoder); then `<modality>_length` (B,), the steps that are not
    padding; `label` (B,), from -3 to 3; and `id` (B,), the row of `ids`. Everything stays on disk
    until it is asked for, because text takes gigabytes.

    Args:
        root: the packed folder.
        fold: 0; the data set has one division into train, valid and test videos.
        evaluate_on: the packed split that is reported, under the name `test`; `valid` for those
            who have no labels of the test videos.
        validation: what an epoch is chosen on, under the name `validation`: the packed split
            `valid`, or a share of the train videos, such as 0.1. The share is drawn by a seed of
            its own, is the same in every run and takes whole videos out of training.
        common: the arguments of every datamodule, see `PackedDataModule`.

    Raises:
        DataError: as `PackedDataset` says; what is reported would also be selected or trained on;
            or a part is empty.
    """

    task = "mosei"
    sample_class = MoseiSample
    settings_class = MoseiSettings

    def __init__(
        self,
        root: str | Path,
        *,
        fold: int = 0,
        evaluate_on: Literal["test", "valid"] = "test",
        validation: Literal["valid"] | float = "valid",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(root, evaluation_names=["test", "validation"], **common)
        if fold != 0:
            raise DataError(f"fold: expected 0, for CMU-MOSEI has one division, found {fold}")
        check_parts(evaluate_on, validation)
        self.evaluate_on = evaluate_on
        self.validation = validation

    def setup(self, stage: str | None = None) -> None:
        if self.ids:
            return
        from datamodules.packed.rows import PackedRows

        packed = self.open_packed()
        arrays = {name: packed.array(name) for name in self.modalities}  # (N, T, C)
        labels = self._numbers(packed, "label").astype(np.float32)
        lengths = {f"{m}_length": self._lengths(packed, m, arrays[m].shape[1]) for m in arrays}
        self.training_rows, self.evaluation_rows = (
            PackedRows({**arrays, **lengths}, labels, seed=self.seed) for _ in range(2)
        )
        self.rows = divide(
            self.root,
            np.array(packed.index["split"]),
            np.array(packed.index["video"]),
            evaluate_on=self.evaluate_on,
            validation=self.validation,
        )
        self.shapes = {name: (a.shape[2], a.shape[1]) for name, a in arrays.items()}
        self.ids = packed.index["id"]

    def _numbers(self, packed: PackedDataset, column: str) -> np.ndarray:
        """A column of the index, (N,), all of it finite numbers."""
        try:
            numbers = np.array(packed.index[column], dtype=np.float64)
        except (KeyError, ValueError) as error:
            raise DataError(
                f"{self.root / INDEX}: expected a column {column} with a number in every row, "
                f"found otherwise: {error}; prepare again"
            ) from error
        if not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise DataError(
                f"{self.root / INDEX}: expected finite numbers in {column}, found {numbers[row]} "
                f"for {packed.index['id'][row]}; correct the raw data and prepare again"
            )
        return numbers

    def _lengths(self, packed: PackedDataset, modality: str, steps: int) -> np.ndarray:
        """True steps of every segment, (N,)."""
        lengths = self._numbers(packed, f"{modality}_length").astype(np.int64)
        if lengths.min() < 0 or lengths.max() > steps:
            raise DataError(
                f"{self.root / INDEX}: expected {modality}_length from 0 to {steps}, the packed "
                f"steps, found {lengths.min()} to {lengths.max()}; prepare again"
            )
        return lengths

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Sequences travel as packed, (B, T, C), text maybe in half precision."""
        sequences = {name: batch[name].float().transpose(1, 2) for name in self.modalities}
        return {**batch, **sequences}

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What the network takes of each modality, as JSON for other programs."""
        known = {
            "visual": "FACET's features, a step a word or a frame, zeros in front of them",
            "audio": "COVAREP's features, a step a word or a frame, zeros in front of them",
            "text": "the text encoder's last layer, a step a word piece, padding behind them",
        }
        return {
            name: {"axes": "batch, feature, time", "is": known[name]} for name in self.modalities
        }

    def own_files(
        self,
        preparation: Mapping[str, Any] | None,
        *,
        shapes: Mapping[str, Sequence[int]],
        without: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> "OwnMosei":
        """What reads texts and features of one's own, as the packed ones were prepared."""
        from datamodules.mosei.own import OwnMosei

        encoder = (preparation or {}).get("text_encoder")
        own = None if self.sample is None else str(self.sample.raw / ENCODER)
        return OwnMosei(
            self.prepared_with(preparation),
            widths={name: shapes[name][0] for name in self.modalities},
            encoder=encoder,
            default_encoder=own or (encoder or {}).get("name"),
            modalities=self.modalities,
            without=without,
            options=options or {},
        )
