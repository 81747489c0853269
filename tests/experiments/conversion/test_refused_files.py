"""Files that are not exactly a released network: one message each, and nothing is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from experiments.conversion.convert import convert as convert_file
from experiments.conversion.read import read_checkpoint
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from tests.experiments.conversion.old_networks import OldI3D, OldMosei, OldNTU, OldRavdess
from tests.experiments.conversion.old_parts import OldHCN, OldMFCCNet, OldResNeXt
from tests.experiments.finished import RunsCode

Convert = Callable[..., Path]


def refused(convert: Convert, content: Any, name: str = "fold_1.pth", *overrides: str) -> str:
    with pytest.raises(RunError) as error:
        convert(content, name, *overrides)
    return str(error.value)


def state(network: nn.Module) -> dict[str, Any]:
    return dict(network.state_dict())


@pytest.mark.parametrize(
    ("old", "key"),
    [
        (OldRavdess(), "msaf.0.blocks.0.dense_group.9.weight"),
        (OldRavdess(), "video_model_blocks.0.3.0.downsample.0.weight"),
        (OldMosei(), "msaf.0.blocks.4.joint_features.1.running_mean"),
        (OldMosei(), "multimodal_classifier.0.bias"),
        (OldNTU(OldI3D(), (104, 128), (8, 64)), "skeleton.conv3m.0.bias"),
        (OldHCN(), "conv1m.0.weight"),
        (OldMFCCNet(), "fc1.weight"),
    ],
)
def test_one_tensor_too_few(convert: Convert, tmp_path: Path, old: nn.Module, key: str) -> None:
    content = state(old)
    del content[key]
    told = refused(convert, content)
    assert key in told and str(tmp_path / "fold_1.pth") in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("key", ["final_pred.weight", "msaf1.blocks.0.dense_group.45.weight"])
def test_one_tensor_too_many(convert: Convert, tmp_path: Path, key: str) -> None:
    content = state(OldNTU(OldI3D(), (104, 128), (8, 64))) | {key: torch.ones(2, 2)}
    assert f"it has besides {key}" in refused(convert, content)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("conv3.weight", (64, 32, 3)),
        ("bn3.running_var", (32,)),
        ("conv1.weight", ()),
        ("fc1.weight", (8, 1665)),
    ],
)
def test_a_tensor_of_another_shape(convert: Convert, key: str, shape: tuple[int, ...]) -> None:
    content = state(OldMFCCNet()) | {key: torch.zeros(shape)}
    told = refused(convert, content)
    assert "fold_1.pth" in told and ("shapes" in told or key in told)


def test_a_shape_that_only_some_blocks_have(convert: Convert) -> None:
    key = "msaf.0.blocks.2.dense_group.5.weight"
    content = state(OldMosei()) | {key: torch.zeros(16, 7)}
    told = refused(convert, {"model_state_dict": content})
    assert "msaf.0.blocks.0.dense_group.0.weight" in told and "(16, 7)" in told


def test_another_task_than_the_one_that_is_meant(convert: Convert) -> None:
    told = refused(convert, state(OldMosei()), "msaf.pth", "task=ravdess")
    assert "task=ravdess" in told and "the fused network of CMU-MOSEI, task=mosei" in told


def test_a_network_that_the_authors_did_not_release(convert: Convert) -> None:
    told = refused(convert, nn.Linear(3, 2).state_dict())
    assert "2 tensors of none of them, such as bias, weight" in told


def test_an_image_network_of_the_same_names(convert: Convert) -> None:
    content = state(OldResNeXt(8, [1, 1, 1, 1], 8))
    content = {name: x[..., 0] if x.ndim == 5 else x for name, x in content.items()}
    assert "conv1.weight: expected" in refused(convert, content)


def test_a_fold_that_nobody_says(convert: Convert) -> None:
    told = refused(convert, state(OldMFCCNet()), "mfccNet_best.pth")
    assert "fold=<0 to 5> is missing: mfccNet_best.pth" in told
    assert "fold: expected 0 to 5, found 6" in refused(convert, state(OldMFCCNet()), "fold_7.pth")


def test_a_file_that_is_cut_off(convert: Convert, tmp_path: Path) -> None:
    file = tmp_path / "whole.pth"
    for zipped in (True, False):  # as torch writes today, and as it did when they were released
        torch.save(state(OldMFCCNet()), file, _use_new_zipfile_serialization=zipped)
        whole = file.read_bytes()
        for share in (0, 20, 30, len(whole) // 2, len(whole) - 5):
            file.write_bytes(whole[:share])
            with pytest.raises(RunError, match=r"whole\.pth: expected named tensors.*download it"):
                read_checkpoint(file)


def test_a_pickle_that_would_run_code(convert: Convert, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = state(OldMFCCNet()) | {"fc1.bias": RunsCode(trace)}
    told = refused(convert, content)
    assert "calls getattr" in told and "nothing of it was run" in told
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"weights", b"\x00" * 100, b"<!doctype html><html></html>"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(RunError, match=r"x\.pth: expected named tensors"):
        read_checkpoint(tmp_path / "x.pth")


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a file of weights, found a folder"):
        read_checkpoint(tmp_path)
    with pytest.raises(RunError, match="expected a file of weights, found no such file"):
        read_checkpoint(tmp_path / "none.pth")


@pytest.mark.parametrize("content", [[], {}, {"a": 1}, {1: torch.ones(1)}, torch.ones(3)])
def test_no_named_tensors(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(RunError, match=r"x\.pth: expected named tensors"):
        read_checkpoint(tmp_path / "x.pth")


def test_numpy_figures_beside_the_weights_are_read_as_old_and_new_versions_name_them(
    tmp_path: Path,
) -> None:
    content = {"model_state_dict": {"a": torch.ones(3)}, "test_loss": np.mean([0.5, 0.7])}
    torch.save(content, tmp_path / "new.pth", _use_new_zipfile_serialization=False)
    new = (tmp_path / "new.pth").read_bytes()
    assert b"numpy._core.multiarray\n" in new
    (tmp_path / "old.pth").write_bytes(new.replace(b"numpy._core.mul", b"numpy.core.mul"))
    for name in ("new.pth", "old.pth"):
        assert read_checkpoint(tmp_path / name).tensors.keys() == {"a"}


def test_what_a_folder_holds_already_stays(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    told = refused(convert, state(OldMFCCNet()))
    assert "expected a new folder, or an empty one, found notes.txt" in told
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_used_and_a_second_run_is_refused(
    convert: Convert, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    folder = convert(state(OldMFCCNet()), "fold_1.pth")
    before = (folder / "metrics.json").read_bytes()
    assert "found checkpoints, config.yaml, metrics.json" in refused(convert, state(OldMFCCNet()))
    assert (folder / "metrics.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_killed_conversion_leaves_nothing(
    convert: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.runs.folder.RunFolder.finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(state(OldMFCCNet()), "fold_1.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["fold_1.pth"]


def test_a_file_where_the_folder_should_be(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ValueError, match="expected a folder, found the file"):
        convert(state(OldMFCCNet()), "fold_1.pth")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["out=x"], "in=<file> is missing"),
        (["in=x.pth"], "out=<run folder> is missing"),
        (["in=x.pth", "out=x", "folds=1"], r"folds: no such key, did you mean fold\? there are in"),
    ],
)
@pytest.mark.usefixtures("convert")
def test_keys_that_are_missing_or_unknown(overrides: list[str], message: str) -> None:
    with pytest.raises(RunError, match=message):
        convert_file(Overrides(overrides))
