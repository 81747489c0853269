"""NTU RGB+D: batches of frames and skeletons, split by subjects or by cameras."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from datamodules.formats.ntu_name import ACTIONS
from datamodules.ntu.clip import LENGTH, NtuSettings
from datamodules.ntu.groups import NtuSkeleton, NtuVideo, NtuWindows
from datamodules.ntu.sample.render import NtuSample
from datamodules.ntu.splits import VALIDATION, Split, split_rows
from datamodules.ntu.windows import ClipAugmentation, lengthen
from datamodules.packed.batch import Batch
from datamodules.packed.crop import normalised
from datamodules.packed.datamodule import Common, PackedDataModule
from datamodules.packed.errors import DataError
from datamodules.packed.settings import read_group

if TYPE_CHECKING:
    from datamodules.ntu.own import OwnNtu


class NTU(PackedDataModule):
    """The cross-subject and cross-view splits of a packed NTU RGB+D (section 5.3 of the paper).

    A batch holds the chosen modalities in their order, `label` (B,) and `id` (B,), the row of
    `ids`: `video` (B, 3, F, size, size) normalized, `skeleton` (B, 3, F, 25, 2) in meters,
    centered.

    Args:
        root: the packed folder.
        fold: the name of the split, `cs` or `cv`, for messages.
        split: `by` (a column of the index), and its values to `train` and to `test` on.
        validation_subjects: subjects whose samples are the validation part.
        validation_part: of which part they are taken. Of `train`: then they do not train. Of
            `test`: they are tested as well, and the split is called `dev` in place of
            `validation`, because choosing by it is choosing on test data (released code).
        video: settings of `NtuVideo`, without effect where the video is not used.
        skeleton: settings of `NtuSkeleton`, without effect where the skeletons are not used.
        windows: settings of `NtuWindows`, for whichever of both is used.
        common: the arguments of every datamodule, see `PackedDataModule`.

    Raises:
        DataError: as `PackedDataset` says, a group holds an unknown setting, a label is none of
            the sixty, or the split has no samples in one of its parts.
    """

    task = "ntu"
    sample_class = NtuSample
    settings_class = NtuSettings
    classes = ACTIONS

    def __init__(
        self,
        root: str | Path,
        *,
        fold: str,
        split: Mapping[str, Any],
        validation_subjects: Sequence[int],
        validation_part: Literal["train", "test"] = "train",
        video: Mapping[str, Any] | None = None,
        skeleton: Mapping[str, Any] | None = None,
        windows: Mapping[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> None:
        if validation_part not in VALIDATION:
            raise DataError(f"validation_part={validation_part}: expected train or test")
        names = ["test", VALIDATION[validation_part]]
        super().__init__(root, evaluation_names=names, **common)
        self.fold = fold
        self.split = read_group(Split, split, "split")
        self.validation_subjects = list(validation_subjects)
        self.validation_part = validation_part
        self.video = read_group(NtuVideo, video, "video")
        self.skeleton = read_group(NtuSkeleton, skeleton, "skeleton")
        self.windows = read_group(NtuWindows, windows, "windows")
        self.augmentation = ClipAugmentation(self.windows, self.video)

    def setup(self, stage: str | None = None) -> None:
        if self.ids:
            return
        from datamodules.packed.rows import PackedRows

        packed = self.open_packed()
        labels = packed.numbers("label", below=len(ACTIONS))
        arrays = {name: packed.array(name) for name in self.modalities}
        beside = {}
        if "skeleton" in self.modalities:
            self._refuse_resampled(packed.manifest)
            beside[LENGTH] = packed.array(LENGTH).astype(np.int64)
        elif self.windows.least_frames and LENGTH in packed.modalities:
            beside[LENGTH] = packed.array(LENGTH).astype(np.int64)
        self.training_rows, self.evaluation_rows = (
            PackedRows(
                arrays,
                labels,
                seed=self.seed,
                draws={"video": kind.draw_video, "skeleton": kind.draw_skeleton},
                beside=beside,
            )
            for kind in (self.augmentation, self.augmentation.still())
        )
        self.rows = split_rows(
            packed.index,
            self.split,
            validation_subjects=self.validation_subjects,
            validation_part=self.validation_part,
            where=f"{self.root}, fold {self.fold}",
        )
        shapes: dict[str, tuple[int, ...]] = {
            "video": (3, self.video.frames, self.video.size, self.video.size),
            "skeleton": (3, self.skeleton.frames, 25, 2),
        }
        self.shapes = {name: shapes[name] for name in self.modalities}
        self.ids = packed.index["id"]

    def _refuse_resampled(self, manifest: Mapping[str, Any]) -> None:
        """Refuse a set of skeletons that are not the files' own frames, as they were packed once.

        Raises:
            DataError: says what to do.
        """
        frames = manifest["settings"].get("skeleton_frames")
        if frames is not None:
            raise DataError(
                f"{self.root}: expected skeletons of the files' own frames, found skeletons "
                f"resampled to {frames} by an earlier version; prepare the raw data again into "
                "another folder"
            )

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Frames travel as bytes and whole clips; windows and crops are cut on the device."""
        ready: Batch = {}
        for name in self.modalities:
            drawn = batch[f"{name}_drawn"]
            if LENGTH in batch and (name == "skeleton" or self.windows.kind == "shared"):
                drawn = lengthen(drawn, batch[LENGTH], self.windows.least_frames)
            if name == "video":
                ready[name] = self._video(batch[name], drawn)
            else:
                ready[name] = self._skeleton(batch[name], drawn, batch[LENGTH])
        return ready | {"label": batch["label"], "id": batch["id"]}

    def _video(self, video: Any, drawn: np.ndarray) -> Any:
        from datamodules.ntu.augmentation import view_video
        from datamodules.packed.augmentation import normalise

        seen = view_video(video, drawn, frames=self.video.frames, size=self.video.size)
        return normalise(seen, self.video.channel_order)

    def _skeleton(self, skeleton: Any, drawn: np.ndarray, lengths: np.ndarray) -> Any:
        from datamodules.ntu.augmentation import NORMALISATIONS, view_skeleton

        centre = NORMALISATIONS[self.skeleton.normalisation]
        return centre(view_skeleton(skeleton, drawn, lengths, frames=self.skeleton.frames))

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What the network takes of each modality, as JSON for other programs."""
        known = {
            "video": normalised(self.video.channel_order),
            "skeleton": {
                "axes": "batch, coordinate (x, y, z), time, joint of the Kinect, person",
                "is": "meters from the place that the setting skeleton.normalisation says",
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
    ) -> "OwnNtu":
        """What reads recordings of one's own, as the packed ones were prepared."""
        from datamodules.ntu.own import OwnNtu

        return OwnNtu(
            self.prepared_with(preparation),
            self.augmentation,
            modalities=self.modalities,
            without=without,
            options=options or {},
        )
