"""UTD-MHAD: batches of skeletons, inertial signals and depth, in folds by subjects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from datamodules.formats.utd_mhad import CHANNELS, JOINTS
from datamodules.formats.utd_mhad_name import ACTIONS, MODALITIES
from datamodules.packed.batch import Batch
from datamodules.packed.datamodule import Common, PackedDataModule
from datamodules.packed.dataset import PackedDataset
from datamodules.packed.errors import DataError
from datamodules.packed.settings import read_group
from datamodules.utd_mhad.draws import DEPTH_UNIT, INERTIAL_UNITS, RecordingAugmentation
from datamodules.utd_mhad.folds import Fold, split_rows, subjects_of
from datamodules.utd_mhad.groups import (
    UtdMhadDepth,
    UtdMhadInertial,
    UtdMhadReplaced,
    UtdMhadSkeleton,
    UtdMhadWindows,
)
from datamodules.utd_mhad.recording import UtdMhadSettings, length_of
from datamodules.utd_mhad.replacement import draw_replacements, told
from datamodules.utd_mhad.sample.render import UtdMhadSample


class UtdMhad(PackedDataModule):
    """Leave-one-subject-out and cross-subject folds of a packed UTD-MHAD.

    A batch holds the chosen modalities in their order, `label` (B,) and `id` (B,), the row of
    `ids`: `skeleton` (B, 3, F, 20, 1) in meters, centered; `inertial` (B, 6, S) in g and hundreds
    of degrees a second; `depth` (B, 3, F, size, size), what `view_depth` says of each pixel.

    Args:
        root: the packed folder.
        fold: 0 to 7, the place among `subjects` of the one that is tested; or `cs`, where those of
            odd numbers train and those of even numbers are tested.
        subjects: all subjects that there are.
        validation_subjects: so many subjects of the training part validate in place of training.
        windows: settings of `UtdMhadWindows`, for all modalities.
        skeleton: settings of `UtdMhadSkeleton`, without effect where it is not used.
        inertial: settings of `UtdMhadInertial`, without effect where it is not used.
        depth: settings of `UtdMhadDepth`, without effect where it is not used.
        replaced: settings of `UtdMhadReplaced`; nothing is replaced by default.
        common: the arguments of every datamodule, see `PackedDataModule`.

    Raises:
        DataError: as `PackedDataset`, `subjects_of` and `split_rows` say, a group holds an unknown
            setting, or depth frames are smaller than the crop.
    """

    task = "utd_mhad"
    sample_class = UtdMhadSample
    settings_class = UtdMhadSettings
    classes = ACTIONS

    def __init__(
        self,
        root: str | Path,
        *,
        fold: Fold,
        subjects: Sequence[int],
        validation_subjects: int = 1,
        windows: Mapping[str, Any] | None = None,
        skeleton: Mapping[str, Any] | None = None,
        inertial: Mapping[str, Any] | None = None,
        depth: Mapping[str, Any] | None = None,
        replaced: Mapping[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> None:
        names = ["test", "validation"] if validation_subjects else ["test"]
        super().__init__(root, evaluation_names=names, **common)
        self.fold = fold
        self.parts = subjects_of(fold, subjects, validation_subjects)
        self.skeleton = read_group(UtdMhadSkeleton, skeleton, "skeleton")
        self.inertial = read_group(UtdMhadInertial, inertial, "inertial")
        self.depth = read_group(UtdMhadDepth, depth, "depth")
        self.replaced = read_group(UtdMhadReplaced, replaced, "replaced")
        self.augmentation = RecordingAugmentation(
            read_group(UtdMhadWindows, windows, "windows"),
            self.skeleton,
            self.inertial,
            self.depth,
        )

    def setup(self, stage: str | None = None) -> None:
        if self.ids:
            return
        from datamodules.packed.rows import PackedRows

        packed = self.open_packed()
        labels = packed.numbers("label", below=len(ACTIONS))
        subjects = packed.numbers("subject")
        where = f"{self.root}, fold {self.fold}"
        parts = {n: p for n, p in self.parts.items() if n in ("train", *self.evaluation_names)}
        self.rows = split_rows(subjects, parts, where)
        which, donor = draw_replacements(packed.index["id"], labels, subjects, self.replaced)
        arrays, beside = {}, {}
        for name in self.modalities:
            rows = np.where(which == MODALITIES.index(name), donor, np.arange(len(labels)))
            # all of it is small: in memory, a fetch is a copy of a few kilobytes
            arrays[name] = packed.array(name)[rows]
            if name != "depth":
                beside[length_of(name)] = packed.array(length_of(name))[rows].astype(np.int64)
        self._refuse_less_than_asked(packed)
        self.training_rows, self.evaluation_rows = (
            PackedRows(
                arrays,
                labels,
                seed=self.seed,
                draws={
                    "skeleton": kind.draw_skeleton,
                    "inertial": kind.draw_inertial,
                    "depth": kind.draw_depth,
                },
                beside=beside,
            )
            for kind in (self.augmentation, self.augmentation.still())
        )
        shapes: dict[str, tuple[int, ...]] = {
            "skeleton": (3, self.skeleton.frames, JOINTS, 1),
            "inertial": (CHANNELS, self.inertial.steps),
            "depth": (3, self.depth.frames, self.depth.size, self.depth.size),
        }
        self.shapes = {name: shapes[name] for name in self.modalities}
        self.ids = told(packed.index["id"], which, donor)

    def _refuse_less_than_asked(self, packed: PackedDataset) -> None:
        if "depth" not in self.modalities:
            return
        _, frames, *size = packed.array("depth").shape
        for setting, unit, wanted, found in (
            ("size", "pixels", self.depth.size, min(size)),
            ("frames", "frames", self.depth.frames, frames),
        ):
            if found < wanted:
                raise DataError(
                    f"{self.root}: expected depth videos of at least {wanted} {unit} "
                    f"(datamodule.depth.{setting}), found {found}; choose fewer, or prepare the "
                    f"raw data with a larger prepare.settings.{setting}"
                )

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Recordings travel as they are packed; on the device they are cut and become numbers."""
        from datamodules.utd_mhad.augmentation import view_depth, view_inertial, view_skeleton

        ready: Batch = {}
        for name in self.modalities:
            drawn = batch[f"{name}_drawn"]
            if name == "skeleton":
                length = batch[length_of(name)]
                ready[name] = view_skeleton(batch[name], length, drawn, self.skeleton)
            elif name == "inertial":
                length = batch[length_of(name)]
                ready[name] = view_inertial(batch[name], length, drawn, self.inertial)
            else:
                ready[name] = view_depth(batch[name], drawn, self.depth)
        return ready | {"label": batch["label"], "id": batch["id"]}

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What the network takes of each modality, as JSON for other programs."""
        known: dict[str, dict[str, Any]] = {
            "skeleton": {
                "axes": "batch, coordinate (x, y, z), time, joint of the Kinect v1, person",
                "is": "meters from the middle of the spine of "
                + ("each frame" if self.skeleton.centre == "frame" else "the first frame"),
            },
            "inertial": {
                "axes": "batch, channel (acceleration x, y, z; angular velocity x, y, z), time",
                "is": "g and degrees a second, divided by `unit`",
                "unit": list(INERTIAL_UNITS),
            },
            "depth": {
                "axes": "batch, plane (body, distance, motion), time, height, width",
                "is": "1 where a body is; its distance beyond the clip's mean, and how much more "
                "it is in the next frame, both divided by `unit`",
                "unit": f"{DEPTH_UNIT} mm",
            },
        }
        return {name: known[name] for name in self.modalities}
