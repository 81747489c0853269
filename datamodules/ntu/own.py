"""A recording of one's own -> a sample as NTU RGB+D is packed: frames and skeletons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.skeleton import JOINTS
from datamodules.formats.video import frame_times
from datamodules.ntu.bodies import PERSONS
from datamodules.ntu.clip import LENGTH, NtuSettings, PrepareSample, Sample
from datamodules.ntu.windows import ClipAugmentation
from datamodules.own.files import Group, OwnFiles, batch_of, plural
from datamodules.own.kinds import kind_of, with_article
from datamodules.own.sample import OwnSample, View, Views, drawn
from datamodules.own.timing import at_rate, is_even, mean_rate

# Spine, head, arms and legs, by the joints of a Kinect v2.
BONES = (
    *((0, 1), (1, 20), (20, 2), (2, 3), (20, 4), (4, 5), (5, 6), (6, 7), (20, 8), (8, 9), (9, 10)),
    *((10, 11), (0, 12), (12, 13), (13, 14), (14, 15), (0, 16), (16, 17), (17, 18), (18, 19)),
)


class OwnNtu(OwnFiles):
    """Videos and skeletons of one's own.

    Args:
        settings: of prepare.
        augmentation: what evaluation draws for a clip.
        modalities: of the network.
        without: those that are left out.
        options: none.
    """

    task = "ntu"
    takes = "a video or a .skeleton file"

    def __init__(
        self,
        settings: NtuSettings,
        augmentation: ClipAugmentation,
        *,
        modalities: Sequence[str],
        without: Sequence[str],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(modalities, without, options)
        self.settings = settings
        self.augmentation = augmentation

    def role(self, path: Path) -> str:
        kind = kind_of(path)
        if kind in ("video", "silent video"):
            return "video"
        if kind == "skeleton":
            return "skeleton"
        raise self.refuse(path, with_article(kind))

    def read(self, group: Group) -> OwnSample:
        sample = self.sort(
            {name: str(group.files[name]) if name in group.files else None for name in _MODALITIES},
            {"video": "no video was given", "skeleton": "no .skeleton file was given"},
        )
        there = {name: group.files[name] for name in sample.sources}
        work = PrepareOwnSample(None, self.settings)
        prepared = work(Sample(there.get("video"), there.get("skeleton")))
        sample.batch = self._batch(prepared.arrays)
        sample.views = Views(frames=work.shown())
        if "skeleton" in prepared.arrays:
            sample.views.joints = prepared.arrays["skeleton"].transpose(1, 3, 2, 0)  # (F, P, J, 3)
            sample.views.bones = BONES
        for mark in prepared.marks:
            sample.notes.append(_NOTES[mark])
        return sample

    def _batch(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return what the loader of an evaluation split gives: samples, and what it draws."""
        s = self.settings
        shapes = {
            "video": (s.frames, s.size, s.size, 3),
            "skeleton": (3, 1, JOINTS, PERSONS),
        }
        batch = batch_of(arrays, {name: shapes[name] for name in self.modalities})
        still = self.augmentation.still()
        draws = {"video": still.draw_video, "skeleton": still.draw_skeleton}
        for name in self.modalities:
            shape = tuple(batch[name].shape[1:])
            batch[f"{name}_drawn"] = draws[name](shape, np.random.default_rng(0))[None]
        if "skeleton" in self.modalities:
            batch[LENGTH] = np.array([arrays.get(LENGTH, 1)], np.int64)
        return batch


_MODALITIES = ("video", "skeleton")
_NOTES = {
    "without_bodies": "the skeleton file shows nobody in any frame; zeros stand for it",
    "bodies_left_out": f"more than {plural(PERSONS, 'person')}: those who move most are taken",
    "not_finite_joints": "some joints are no finite numbers; zeros stand for them",
}


@dataclass(frozen=True)
class PrepareOwnSample(PrepareSample):
    """A sample as prepare makes it, whose frames are kept to be drawn."""

    views: list[View] = field(default_factory=list)

    def frames_of(self, path: Path, total: int) -> Sequence[int]:
        """Return the frames to choose from: by time where they do not come evenly."""
        times = frame_times(path)
        if len(times) != total or is_even(times):
            return range(total)
        return at_rate(times, mean_rate(times))

    def fit(self, image: np.ndarray, number: int) -> np.ndarray:
        self.views.append(View.of(image, number))
        return super().fit(image, number)

    def shown(self) -> list[View]:
        """Return some of the frames, evenly spread."""
        return [self.views[place] for place in drawn(len(self.views))]
