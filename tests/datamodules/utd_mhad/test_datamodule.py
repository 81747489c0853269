from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hydra.utils import instantiate
from torch import Tensor

from datamodules import UtdMhad
from datamodules.packed.errors import DataError
from tests.commands import ROOT
from tests.datamodules.loading import epoch_of, same, sizes
from tests.utd_mhad_data import SAMPLES

ALL = ["skeleton", "inertial", "depth"]


def build(root: Path, **changes: Any) -> UtdMhad:
    options: dict[str, Any] = {
        "modalities": ALL,
        "fold": 0,
        "subjects": range(1, 9),
        "batch_size": 8,
        "seed": 1,
        "protocol": "paper",
        "skeleton": {"frames": 16},
        "inertial": {"steps": 12},
        "depth": {"frames": 3, "size": 16},
    }
    module = UtdMhad(root, **(options | changes))
    module.prepare_data()
    module.setup()
    return module


def test_batch(utd_packed: Path) -> None:
    module = build(utd_packed)
    assert sizes(module) == {"train": 54, "validation": 9, "test": 9}
    assert SAMPLES == 72
    assert module.evaluation_names == ["test", "validation"]
    assert module.provenance == "sample"
    without = build(utd_packed, validation_subjects=0)
    assert sizes(without) == {"train": 63, "test": 9}
    assert without.evaluation_names == ["test"]
    (first, *_) = epoch_of(module, 0)
    assert list(first) == [*ALL, "label", "id"]
    shapes = {"skeleton": (3, 16, 20, 1), "inertial": (6, 12), "depth": (3, 3, 16, 16)}
    assert module.shapes == shapes
    for name, shape in shapes.items():
        assert first[name].shape == (8, *shape) and first[name].dtype == torch.float32
    for row, label in zip(first["id"].tolist(), first["label"].tolist(), strict=True):
        assert module.ids[row].startswith(f"a{label + 1}_s")


@pytest.mark.parametrize("modalities", [["inertial"], ["depth", "skeleton"], ["inertial", "depth"]])
def test_any_of_the_modalities_gives_what_all_of_them_do(
    modalities: list[str], utd_packed: Path
) -> None:
    some = epoch_of(build(utd_packed, modalities=modalities), 2)
    every = epoch_of(build(utd_packed), 2)
    assert list(some[0]) == [*modalities, "label", "id"]
    assert same(some, [{name: batch[name] for name in some[0]} for batch in every])


def test_evaluation_is_in_order_and_the_whole_recording(utd_packed: Path) -> None:
    module = build(utd_packed, modalities=["skeleton"], fold="cs", evaluation_batch_size=7)
    assert sizes(module) == {"train": 27, "validation": 9, "test": 36}
    test, _ = module.val_dataloader()
    batches = [module.on_after_batch_transfer(batch, 0) for batch in test]
    ids = torch.cat([batch["id"] for batch in batches]).tolist()
    assert ids == module.rows["test"].tolist()
    assert {module.ids[row].split("_")[1] for row in ids} == {"s2", "s4", "s6", "s8"}
    skeleton = np.load(utd_packed / "skeleton.npy")
    lengths = np.load(utd_packed / "skeleton_length.npy")
    found = torch.cat([batch["skeleton"] for batch in batches]).numpy()
    for place, row in enumerate(ids):
        own = skeleton[row] - skeleton[row, :, :1, 2:3]
        assert np.allclose(found[place, :, 0], own[:, 0], atol=1e-6)
        assert np.allclose(found[place, :, -1], own[:, lengths[row] - 1], atol=1e-6)


def test_order_and_augmentation_depend_on_seed_epoch_and_row_alone(utd_packed: Path) -> None:
    first = epoch_of(build(utd_packed), 3)
    assert same(first, epoch_of(build(utd_packed), 3))
    assert not same(first, epoch_of(build(utd_packed), 2))
    assert not same(first, epoch_of(build(utd_packed, seed=2), 3))


def test_nothing_is_read_back_from_the_device(utd_packed: Path) -> None:
    """On the device `meta`, which holds no values, whatever reads them fails."""
    module = build(utd_packed)
    (batch, *_) = module.train_dataloader()
    there = {k: v.to("meta") if isinstance(v, Tensor) else v for k, v in batch.items()}
    ready = module.on_after_batch_transfer(there, 0)
    assert {entry.device.type for entry in ready.values()} == {"meta"}


def test_what_is_replaced_is_the_same_of_another_recording_of_the_part(utd_packed: Path) -> None:
    both: dict[str, Any] = {"modalities": ALL[:2], "evaluation_batch_size": 9}
    plain = build(utd_packed, **both)
    replaced = build(utd_packed, **both, replaced={"share": 0.5, "seed": 1})
    count = 0
    for one, other in zip(plain.val_dataloader(), replaced.val_dataloader(), strict=True):
        before = plain.on_after_batch_transfer(next(iter(one)), 0)  # the part, whole
        after = replaced.on_after_batch_transfer(next(iter(other)), 0)
        assert torch.equal(before["label"], after["label"])
        for place, row in enumerate(before["id"].tolist()):
            _, _, what = replaced.ids[row].partition(":")
            gone, _, other = what.partition("=")  # maybe depth, which is not in use
            for name in plain.modalities:
                same_as = [torch.equal(after[name][place], x) for x in before[name]]
                (donor,) = (plain.ids[int(before["id"][k])] for k in np.flatnonzero(same_as))
                assert donor == (other if name == gone else plain.ids[row])
            count += gone in plain.modalities
    assert 2 <= count <= 12  # of 18


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"depth": {"size": 21}}, r"depth videos of at least 21 pixels .*found 20"),
        (
            {"depth": {"frames": 99, "size": 16}},
            r"at least 99 frames \(datamodule.depth.frames\), found",
        ),
        ({"replaced": {"share": 2}}, "replaced.share=2: expected a number from 0 to 1"),
        ({"windows": {"shortest": 3}}, "windows.shortest=3: expected a number from 0 to 1"),
        ({"windows": {"probability": 7}}, "windows.probability=7: expected a number from 0 to 1"),
        ({"skeleton": {"scaling": 3}}, "skeleton.scaling=3: expected a number from 0 to 0.9"),
        ({"skeleton": {"rotation": 400}}, "skeleton.rotation=400: expected .* from 0 to 180"),
        ({"inertial": {"steps": 1}}, "inertial.steps=1: expected a whole number of at least 4"),
        ({"validation_subjects": 8}, "validation_subjects=8: expected a whole number from 0 to 6"),
        ({"depth": {"colour": 1}}, "depth: expected the settings frames, size, crop_place"),
        ({"skeleton": {"centre": "hip"}}, "skeleton.centre=hip: expected frame or clip"),
        ({"subjects": range(1, 8)}, r"found those of \[8\] too, which no fold knows"),
        ({"fold": "cv"}, "fold: expected cs, or 0 to 7, found cv"),
        ({"protocol": "released"}, "expected protocol released, found paper"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], says: str, utd_packed: Path) -> None:
    with pytest.raises(DataError, match=says):
        build(utd_packed, **changes)


def test_what_the_network_takes_is_said_of_each_modality(utd_packed: Path) -> None:
    told = build(utd_packed, modalities=["inertial", "depth"]).inputs
    assert list(told) == ["inertial", "depth"]
    assert told["inertial"]["unit"] == [1, 1, 1, 100, 100, 100]


def test_what_stands_for_a_modality_counts_no_padding(utd_packed: Path, tmp_path: Path) -> None:
    """The training mean and the noise that `robustness.py` puts into padded sequences."""
    config = yaml.safe_load((ROOT / "configs" / "robustness" / "utd_mhad.yaml").read_text())
    for modality in ("skeleton", "inertial"):
        module = build(utd_packed, modalities=[modality])
        array = np.load(utd_packed / f"{modality}.npy")
        lengths = np.load(utd_packed / f"{modality}_length.npy")
        rows = module.rows["train"]
        true = np.concatenate([np.moveaxis(array[r, :, : lengths[r]], 1, 0) for r in rows])
        row = int(module.rows["test"][np.argmin(lengths[module.rows["test"]])])
        assert lengths[row] < array.shape[2]
        corruption = instantiate(config["corruptions"][modality]["mean"])
        change = corruption.changes(module, modality, 1, raw=None, copies=tmp_path)[modality]
        found = change(array[row], row)
        expected = true.astype(np.float64).mean(0)[:, None]
        assert np.allclose(found[:, : lengths[row]], expected, atol=1e-4)
        assert not found[:, lengths[row] :].any()
        if modality == "inertial":
            noise = instantiate(config["corruptions"][modality]["feature_noise"])
            change = noise.changes(module, modality, 1, raw=None, copies=tmp_path)[modality]
            every = [change(array[r], int(r))[:, : lengths[r]] - array[r, :, : lengths[r]]
                     for r in range(len(array))]  # fmt: skip
            spread = np.concatenate(every, 1).std(1)
            assert np.allclose(spread, true.astype(np.float64).std(0), rtol=0.1)
