import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules import NTU
from datamodules.formats.ntu_name import parse_sample_name
from datamodules.ntu.augmentation import centre_on_first_spine, view_skeleton, view_video
from datamodules.ntu.prepare import NtuSettings
from datamodules.ntu.sample.render import NtuSample
from datamodules.packed.augmentation import normalise
from datamodules.packed.dataset import INDEX, manifest_hash, write_index
from datamodules.packed.errors import DataError
from tests.datamodules.loading import epoch_of, same, sizes
from tests.ntu_data import SPLITS
from tests.sample_data import write_manifest

TRAIN = [1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38]
TEST = [3, 6, 7, 10, 11, 12, 20, 21, 22, 23, 24, 26, 29, 30, 32, 33, 36, 37, 39, 40]
REAL_SPLITS = {
    "cs": {"by": "subject", "train": TRAIN, "test": TEST},
    "cv": {"by": "camera", "train": [2, 3], "test": [1]},
}


def build(root: Path, **changes: Any) -> NTU:
    options: dict[str, Any] = {
        "modalities": ["video", "skeleton"],
        "fold": "cs",
        "split": SPLITS["cs"],
        "validation_subjects": [2],
        "batch_size": 16,
        "seed": 1,
        "protocol": "paper",
        "video": {"frames": 3, "size": 21},
        "skeleton": {"frames": 20},
    }
    module = NTU(root, **(options | changes))
    module.prepare_data()
    module.setup()
    return module


def write_set(root: Path, rows: list[dict[str, object]], **changes: Any) -> Path:
    """An index with next to nothing in its only array."""
    write_index(root / INDEX, rows)
    np.save(root / "skeleton.npy", np.zeros((len(rows), 3, 1, 25, 2), np.float32))
    np.save(root / "skeleton_length.npy", np.ones(len(rows), np.int32))
    write_manifest(root, rows, **{"task": "ntu", **changes})
    return root


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All subjects, cameras and two actions; subjects 1 and 3 have a listed sample each."""
    rows: list[dict[str, object]] = [
        {
            "id": f"S001C{camera:03d}P{subject:03d}R001A{action:03d}",
            "subject": subject,
            "camera": camera,
            "setup": 1,
            "replication": 1,
            "label": action - 1,
            "listed": int(subject in (1, 3) and camera == 2 and action == 60),
        }
        for subject in range(1, 41)
        for camera in (1, 2, 3)
        for action in (1, 60)
    ]
    return write_set(tmp_path_factory.mktemp("full"), rows)


def parts(root: Path, **changes: Any) -> dict[str, list[Any]]:
    options = {"modalities": ["skeleton"], "split": REAL_SPLITS[changes.get("fold", "cs")]}
    options |= {"validation_subjects": [2, 5, 9, 14]}
    module = build(root, **(options | changes))
    names = {
        part: [parse_sample_name(module.ids[r]) for r in module.rows[part]] for part in module.rows
    }
    assert sizes(module) == {part: len(found) for part, found in names.items()}
    return names


def test_cross_subject(full: Path) -> None:
    found = parts(full)
    assert {n.subject for n in found["test"]} == set(TEST)
    assert {n.subject for n in found["validation"]} == {2, 5, 9, 14}
    assert {n.subject for n in found["train"]} == set(TRAIN) - {2, 5, 9, 14}
    # those that are listed for missing skeletons only train
    assert [len(found[part]) for part in ("train", "test", "validation")] == [96, 119, 24]


def test_cross_view(full: Path) -> None:
    found = parts(full, fold="cv")
    assert {n.camera for n in found["test"]} == {1}
    assert {n.camera for n in found["train"] + found["validation"]} == {2, 3}
    assert {n.subject for n in found["validation"]} == {2, 5, 9, 14}
    assert [len(found[part]) for part in ("train", "test", "validation")] == [144, 80, 16]


def test_the_released_validation_is_on_test_subjects(full: Path) -> None:
    found = parts(full, validation_subjects=[3, 6, 7, 10], validation_part="test")
    assert {n.subject for n in found["train"]} == set(TRAIN)
    assert {n.subject for n in found["dev"]} == {3, 6, 7, 10}
    assert set(found["dev"]) <= set(found["test"])
    assert [len(found[part]) for part in ("train", "test", "dev")] == [120, 119, 23]


def test_batch(ntu_packed: Path) -> None:
    module = build(ntu_packed)
    (first, *_) = epoch_of(module, 0)
    assert list(first) == ["video", "skeleton", "label", "id"]
    assert first["video"].shape == (16, *module.shapes["video"]) == (16, 3, 3, 21, 21)
    assert first["skeleton"].shape == (16, *module.shapes["skeleton"]) == (16, 3, 20, 25, 2)
    assert first["video"].dtype == first["skeleton"].dtype == torch.float32
    for row, label in zip(first["id"], first["label"], strict=True):
        assert parse_sample_name(module.ids[int(row)]).label == label
    assert len(module.classes) == 60
    assert module.evaluation_names == ["test", "validation"]
    assert module.provenance == "sample"
    assert module.manifest_hash == manifest_hash(ntu_packed)


def test_evaluation_is_in_order_complete_and_the_middle_of_each_frame(ntu_packed: Path) -> None:
    module = build(ntu_packed, video={"frames": 4, "size": 21}, evaluation_batch_size=7)
    test, validation = module.val_dataloader()
    assert torch.cat([b["id"] for b in validation]).tolist() == module.rows["validation"].tolist()
    batches = [module.on_after_batch_transfer(batch, 0) for batch in test]
    ids = torch.cat([b["id"] for b in batches])
    assert ids.tolist() == module.rows["test"].tolist()
    video, skeleton = (np.load(ntu_packed / f"{m}.npy")[ids] for m in module.modalities)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (video[:, :, 1:22, 1:22] / 255 - mean) / std  # 21 of 24 pixels
    found = torch.cat([b["video"] for b in batches]).permute(0, 2, 3, 4, 1)
    assert np.abs(found.numpy() - expected).max() < 1e-5
    centered = centre_on_first_spine(torch.from_numpy(skeleton))
    assert torch.equal(torch.cat([b["skeleton"] for b in batches]), centered)


def test_order_and_augmentation_depend_on_seed_epoch_and_row_alone(ntu_packed: Path) -> None:
    first = epoch_of(build(ntu_packed), 3)
    assert same(first, epoch_of(build(ntu_packed), 3))
    assert same(first, epoch_of(build(ntu_packed, workers=1), 3))
    assert not same(first, epoch_of(build(ntu_packed), 2))
    assert not same(first, epoch_of(build(ntu_packed, seed=2), 3))
    alone = epoch_of(build(ntu_packed, modalities=["skeleton"]), 3)
    assert all(torch.equal(a["skeleton"], b["skeleton"]) for a, b in zip(first, alone, strict=True))


def test_lengths_stay_with_the_processor_and_nothing_is_read_back(ntu_packed: Path) -> None:
    """On the device `meta`, which holds no values, whatever reads them fails."""
    module = build(ntu_packed, windows={"least_frames": 15, "flip": 0.5})
    (batch, *_) = module.train_dataloader()
    assert isinstance(batch["skeleton_length"], np.ndarray)
    there = {k: v.to("meta") if isinstance(v, Tensor) else v for k, v in batch.items()}
    ready = module.on_after_batch_transfer(there, 0)
    assert {name: entry.device.type for name, entry in ready.items()} == dict.fromkeys(
        ("video", "skeleton", "label", "id"), "meta"
    )
    assert ready["skeleton"].shape == (16, 3, 20, 25, 2)


@pytest.mark.parametrize("kind", ["shared", "separate"])
def test_windows_are_lengthened_by_the_frames_of_the_file(kind: str, ntu_packed: Path) -> None:
    """No window is below 15 of the file's 20 frames, whatever number of frames is packed."""
    windows = {"probability": 1, "kind": kind, "least_frames": 15}
    module = build(ntu_packed, windows=windows, video={"frames": 4, "size": 21})
    for batch in module.train_dataloader():
        drawn = {name: batch[f"{name}_drawn"].copy() for name in module.modalities}
        drawn["skeleton"][:, 1] = np.maximum(drawn["skeleton"][:, 1], 15 / 20)
        if kind == "shared":
            drawn["video"][:, 1] = drawn["skeleton"][:, 1]
        ready = module.on_after_batch_transfer(batch, 0)
        lengths = batch["skeleton_length"]
        skeleton = view_skeleton(batch["skeleton"], drawn["skeleton"], lengths, frames=20)
        video = view_video(batch["video"], drawn["video"], frames=4, size=21)
        assert torch.equal(ready["skeleton"], centre_on_first_spine(skeleton))
        assert torch.equal(ready["video"], normalise(video))


def test_shared_windows_of_video_used_alone_are_lengthened_too(ntu_packed: Path) -> None:
    """So `least_frames` stands among the windows: without skeletons it changes the frames seen."""
    windows = {"probability": 1, "least_frames": 64}  # more than there are: whole clips
    module = build(ntu_packed, modalities=["video"], windows=windows)
    for batch in module.train_dataloader():
        assert (batch["video_drawn"][:, 1] < 1).all()
        drawn = batch["video_drawn"].copy()
        drawn[:, 1] = 1
        expected = normalise(view_video(batch["video"], drawn, frames=3, size=21))
        assert torch.equal(module.on_after_batch_transfer(batch, 0)["video"], expected)


@pytest.mark.parametrize(("used", "unused"), [("video", "skeleton"), ("skeleton", "video")])
def test_a_group_acts_on_its_own_stream_alone(used: str, unused: str, ntu_packed: Path) -> None:
    groups: dict[str, dict[str, Any]] = {
        "video": {
            "frames": 2,
            "size": 9,
            "crop": 0.5,
            "crop_place": "centre",
            "channel_order": "bgr",
        },
        "skeleton": {"frames": 5, "normalisation": "none"},
    }
    before = epoch_of(build(ntu_packed, modalities=[used]), 1)
    other = {unused: groups[unused]}
    assert same(before, epoch_of(build(ntu_packed, modalities=[used], **other), 1))
    for setting, value in groups[used].items():
        change = {used: {"frames": 3, "size": 21} if used == "video" else {"frames": 20}}
        change[used] |= {setting: value}
        assert not same(before, epoch_of(build(ntu_packed, modalities=[used], **change), 1))


def test_workers_of_evaluation_do_not_outlast_it(ntu_packed: Path) -> None:
    """Two workers asked for are two that last, not two for every split."""
    before = set(multiprocessing.active_children())
    module = build(ntu_packed, modalities=["skeleton"], workers=2)
    training, evaluation = module.train_dataloader(), module.val_dataloader()
    for loader in (training, *evaluation, training):
        assert sum(len(batch["id"]) for batch in loader) == len(loader.sampler)  # type: ignore[arg-type]
    assert len(set(multiprocessing.active_children()) - before) == 2


def test_windows_of_skeletons_can_have_a_least_length(ntu_packed: Path) -> None:
    windows = {"probability": 1, "least_frames": 64}  # more than there are
    whole = epoch_of(build(ntu_packed, modalities=["skeleton"], windows=windows), 0)
    cut = epoch_of(build(ntu_packed, modalities=["skeleton"], windows={"probability": 1}), 0)
    skeleton = torch.from_numpy(np.load(ntu_packed / "skeleton.npy"))
    expected = centre_on_first_spine(skeleton[whole[0]["id"]])
    assert torch.equal(whole[0]["skeleton"], expected)
    assert not torch.allclose(cut[0]["skeleton"], expected, atol=1e-3)


def test_skeletons_that_an_earlier_version_resampled_are_refused(tmp_path: Path) -> None:
    row = {"id": "x", "subject": 1, "camera": 1, "setup": 1, "replication": 1, "label": 0}
    root = write_set(tmp_path, [row | {"listed": 0}], settings={"skeleton_frames": 160})
    with pytest.raises(DataError, match="found skeletons resampled to 160 by an earlier version"):
        build(root, modalities=["skeleton"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"skeleton": {"normalisation": "hips"}}, "skeleton.normalisation=hips: expected first_sp"),
        ({"video": {"crop_place": "left"}}, "video.crop_place=left: expected random or centre"),
        ({"video": {"fps": 3}}, "video: expected the settings frames, size, crop, .*, found fps"),
        ({"skeleton": {"size": 3}}, "skeleton: expected the settings frames, norm.*, found size"),
        ({"windows": {"least": 3}}, "windows: expected the settings probability, .*, found least"),
        ({"windows": 3}, "windows: expected the settings .*, found 3"),
        ({"windows": {"least_frames": -1}}, "windows.least_frames=-1: expected a whole number of"),
        ({"split": SPLITS}, "split: expected the settings by, train, test, found cs, cv"),
        ({"split": {"by": "camera"}}, "split: expected .*, found by; give all of them"),
        ({"split": SPLITS["cs"] | {"by": "place"}}, "expected split.by among id, .*, found place"),
        ({"split": SPLITS["cs"] | {"test": 3}}, "split.test=3: expected a list of numbers"),
        ({"validation_part": "dev"}, "validation_part=dev: expected train or test"),
        ({"protocol": "released"}, "expected protocol released, found paper"),
        ({"prepared": {"bodies": "file_order"}}, "made with bodies=file_order, found motion"),
        ({"modalities": ["depth"]}, "expected the modality depth, found skeleton"),
        ({"validation_subjects": [40]}, "fold cs: expected samples for the validation part"),
        (
            {"split": {"by": "subject", "train": [1, 2], "test": [9]}},
            "fold cs: expected samples for the test part",
        ),
    ],
)
def test_what_does_not_fit_is_refused(ntu_packed: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        build(ntu_packed, **changes)


def test_a_label_beyond_the_sixty(tmp_path: Path) -> None:
    row = {"id": "x", "subject": 1, "camera": 1, "setup": 1, "replication": 1, "label": 60}
    root = write_set(tmp_path, [row | {"listed": 0}])
    with pytest.raises(DataError, match="expected label from 0 to 59, found 60 to 60"):
        build(root, modalities=["skeleton"])


def test_sample_is_made_on_the_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[NtuSample] = []
    monkeypatch.setattr(NtuSample, "ensure", lambda sample: made.append(sample))
    settings = NtuSettings()
    module = NTU(
        tmp_path / "packed",
        modalities=["video"],
        fold="cs",
        split=SPLITS["cs"],
        validation_subjects=[2],
        batch_size=4,
        seed=1,
        protocol="released",
        sample={"raw": "somewhere", "settings": settings, "subjects": 4},
    )
    assert not made
    module.prepare_data()
    where = {"root": tmp_path / "packed", "raw": Path("somewhere")}
    assert made == [NtuSample(**where, protocol="released", settings=settings, subjects=4)]
