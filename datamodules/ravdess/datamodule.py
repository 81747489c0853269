"""RAVDESS: batches of face crops, MFCC and action units, in folds by actors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from datamodules.formats.openface import ACTION_UNITS
from datamodules.formats.ravdess_name import EMOTIONS
from datamodules.packed.batch import Batch
from datamodules.packed.crop import CropAndFlip, normalised
from datamodules.packed.datamodule import Common, PackedDataModule
from datamodules.packed.errors import DataError
from datamodules.packed.settings import check_settings, read_group
from datamodules.ravdess.clip import RavdessSettings
from datamodules.ravdess.sample.performance import FPS
from datamodules.ravdess.sample.render import RavdessSample

if TYPE_CHECKING:
    from datamodules.ravdess.own import OwnRavdess


@dataclass(frozen=True)
class RavdessVideo:
    """What acts on the frames alone.

    Args:
        augment_per: one crop and flip a `clip`, or one a `frame` (released code).
        crop_scale: smallest and largest area of a crop as a part of the frame's, (0.8, 1.4) in the
            released code: what is larger is drawn again, up to ten times; then the whole is taken.
        flip: probability of a flip.
        channel_order: `bgr` normalises blue-first frames by red-first statistics (released code).
    """

    augment_per: Literal["clip", "frame"] = "clip"
    crop_scale: tuple[float, float] = (0.8, 1.0)
    flip: float = 0.5
    channel_order: Literal["rgb", "bgr"] = "rgb"

    def __post_init__(self) -> None:
        check_settings(self, "video")


class RAVDESS(PackedDataModule):
    """Speaker-independent folds of a packed RAVDESS (section 5.1 of the paper).

    A batch holds the chosen modalities in their order, `label` (B,) and `id` (B,), the row of
    `ids`: `video` (B, 3, T, H, W) normalised, `audio` (B, 13, 212), `action_units` (B, 35).

    Args:
        root: the packed folder.
        fold: which of the folds is tested.
        folds: the test actors of every fold; the other actors train.
        validation_actors: number of actors taken out of training for validation: those that follow
            the test actors, in the order of the folds and around its end.
        video: settings of `RavdessVideo`, without effect where the video is not used.
        common: the arguments of every datamodule, see `PackedDataModule`.

    Raises:
        DataError: as `PackedDataset` says, the video's group holds an unknown setting, or the fold
            has no clips to train or test on.
    """

    task = "ravdess"
    sample_class = RavdessSample
    settings_class = RavdessSettings
    classes = EMOTIONS

    def __init__(
        self,
        root: str | Path,
        *,
        fold: int,
        folds: Sequence[Sequence[int]],
        validation_actors: int = 0,
        video: Mapping[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> None:
        names = ["test", "validation"] if validation_actors else ["test"]
        super().__init__(root, evaluation_names=names, **common)
        if not isinstance(fold, int) or not 0 <= fold < len(folds):
            raise DataError(f"fold: expected 0 to {len(folds) - 1}, found {fold}")
        self.fold = fold
        self.folds = [tuple(actors) for actors in folds]
        self.validation_actors = validation_actors
        self.video = read_group(RavdessVideo, video, "video")
        self.augmentation = CropAndFlip(
            self.video.crop_scale, self.video.flip, self.video.augment_per
        )

    def setup(self, stage: str | None = None) -> None:
        if self.ids:
            return
        from datamodules.packed.rows import PackedRows

        packed = self.open_packed()
        arrays = {name: packed.array(name) for name in self.modalities}
        # all but video is small: in memory, a fetch is a copy of a few kilobytes
        arrays = {name: a if name == "video" else np.array(a) for name, a in arrays.items()}
        labels = packed.numbers("label", below=len(EMOTIONS))
        self.training_rows = PackedRows(
            arrays, labels, seed=self.seed, draws={"video": self.augmentation.draw}
        )
        self.evaluation_rows = PackedRows(arrays, labels, seed=self.seed)
        self.rows = self._split(packed.numbers("actor"))
        self.shapes = {
            name: (3, *array.shape[1:4]) if name == "video" else array.shape[1:]
            for name, array in arrays.items()
        }
        self.ids = packed.index["id"]

    def _split(self, actors: np.ndarray) -> dict[str, np.ndarray]:
        """Rows of each split."""
        after = [a for fold in self.folds[self.fold + 1 :] + self.folds[: self.fold] for a in fold]
        chosen = {
            "train": after[self.validation_actors :],
            "test": self.folds[self.fold],
            "validation": after[: self.validation_actors],
        }
        rows = {name: np.flatnonzero(np.isin(actors, wanted)) for name, wanted in chosen.items()}
        for name, wanted in chosen.items():
            if not len(rows[name]) and (name != "validation" or self.validation_actors):
                raise DataError(
                    f"{self.root}: expected clips of the actors {list(wanted)} for the {name} part "
                    f"of fold {self.fold}, found those of {sorted(set(actors.tolist()))}; prepare "
                    "the missing actors or choose other folds"
                )
        return rows

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Frames travel as bytes; on the device they are cropped and become numbers."""
        from datamodules.packed.augmentation import crop_and_flip, normalise

        ready = {name: entry for name, entry in batch.items() if name != "video_drawn"}
        if "video_drawn" in batch:
            ready["video"] = crop_and_flip(batch["video"], batch["video_drawn"])
        if "video" in ready:
            ready["video"] = normalise(ready["video"], self.video.channel_order)
        return ready

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What the network takes of each modality, as JSON for other programs."""
        known = {
            "video": normalised(self.video.channel_order),
            "audio": {"axes": "batch, coefficient, time", "is": "MFCC"},
            "action_units": {
                "axes": "batch, unit",
                "is": "means over the frames of OpenFace's action units",
                "units": list(ACTION_UNITS),
            },
        }
        return {name: known[name] for name in self.modalities}

    def own_files(
        self,
        preparation: Mapping[str, Any] | None,
        *,
        shapes: Mapping[str, Sequence[int]],
        without: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> "OwnRavdess":
        """What reads clips of one's own, as the packed ones were prepared."""
        from datamodules.ravdess.own import RATE, OwnRavdess

        rendered = self.sample is not None
        if preparation is not None:
            rendered = preparation.get("provenance") == "sample"
        return OwnRavdess(
            self.prepared_with(preparation),
            rate=FPS if rendered else RATE,
            modalities=self.modalities,
            without=without,
            options=options or {},
        )
