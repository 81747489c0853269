"""Recordings of one's own: those of the data set give the batches that evaluation loads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.ntu.datamodule import NTU
from datamodules.ntu.own import OwnNtu
from datamodules.packed.errors import DataError
from tests.ntu_data import SPLITS
from tests.own_clips import steady, write_clip

SHAPES = {"video": (3, 8, 21, 21), "skeleton": (3, 16, 25, 2)}


@pytest.fixture(scope="module")
def data(ntu_packed: Path) -> NTU:
    made = NTU(
        ntu_packed,
        fold="cs",
        split=SPLITS["cs"],
        validation_subjects=[2],
        video={"frames": 8, "size": 21},
        skeleton={"frames": 16},
        windows={"least_frames": 8},
        modalities=["video", "skeleton"],
        batch_size=4,
        seed=1,
        protocol="paper",
        workers=0,
    )
    made.setup()
    return made


def reader(data: NTU, **options: Any) -> OwnNtu:
    return data.own_files(data.preparation, shapes=SHAPES, **options)


def files_of(raw: Path, name: str) -> list[Path]:
    return [next(raw.rglob(f"{name}_rgb.avi")), next(raw.rglob(f"{name}.skeleton"))]


def test_the_batches_of_the_data_set(data: NTU, ntu_raw: Path) -> None:
    batch = next(iter(data.val_dataloader()[0]))
    names = [data.ids[row] for row in batch["id"].tolist()]
    expected = data.on_after_batch_transfer(batch, 0)
    own = reader(data)
    for row, name in enumerate(names):
        (group,) = own.groups(files_of(ntu_raw, name))
        sample = own.read(group)
        found = data.on_after_batch_transfer(sample.batch, 0)
        assert not sample.missing
        for modality in ("video", "skeleton"):
            assert torch.equal(found[modality][0], expected[modality][row])


def test_either_alone(data: NTU, ntu_raw: Path) -> None:
    video, skeleton = files_of(ntu_raw, data.ids[0])
    for file, lacking, why in (
        (video, "skeleton", "no .skeleton file was given"),
        (skeleton, "video", "no video was given"),
    ):
        own = reader(data)
        (group,) = own.groups([file])
        sample = own.read(group)
        assert sample.missing == {lacking: why}
        ready = data.on_after_batch_transfer(sample.batch, 0)
        assert {name: tuple(ready[name].shape[1:]) for name in SHAPES} == SHAPES
        assert bool(sample.views.frames) == (file == video)
        assert (sample.views.joints is not None) == (file == skeleton)


def test_frames_that_do_not_come_evenly_are_spread_by_time(data: NTU, tmp_path: Path) -> None:
    """Forty dark frames in the first second, then ten bright ones in four: most of it is bright."""
    times = [*steady(1, 40), *(1 + 0.4 * np.arange(10))]
    images = [np.full((48, 64, 3), 30 if time < 1 else 220, np.uint8) for time in times]
    path = write_clip(tmp_path / "mine.mp4", images, times)
    own = reader(data, without=("skeleton",))
    (group,) = own.groups([path])
    shown = own.read(group).batch["video"][0].float().mean((1, 2, 3))
    assert ((shown > 125).sum() / len(shown)).item() == pytest.approx(0.8, abs=0.13)


def test_what_is_none_of_it(data: NTU, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"a.csv: expected a video or a .skeleton file, found a ta"):
        reader(data).groups([tmp_path / "a.csv"])
    with pytest.raises(DataError, match=r"face: task=ntu has no use for it; it takes none"):
        reader(data, options={"face": "whole"})
    (tmp_path / "a.skeleton").write_text("3\n1\n")
    own = reader(data)
    (group,) = own.groups([tmp_path / "a.skeleton"])
    with pytest.raises(DataError, match=r"a.skeleton"):
        own.read(group)
