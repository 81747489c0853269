"""Networks of the old structure, saved, converted, and run beside what they became."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.reopen import load_strictly, read_config
from experiments.runs.compose import build
from experiments.runs.folder import RunFolder
from tests.experiments.conversion.old_networks import (
    OldI3D,
    OldInflatedResNet,
    OldMosei,
    OldNTU,
    OldRavdess,
    settled,
)
from tests.experiments.conversion.old_parts import OldHCN, OldMFCCNet, OldResNeXt

Convert = Callable[..., Path]


def batch(seed: int = 1, **shapes: tuple[int, ...]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(2, *shape, generator=generator) for name, shape in shapes.items()}


def rebuilt(folder: Path) -> nn.Module:
    """The network that the run folder describes, with its weights, in evaluation mode."""
    run = FinishedRun(RunFolder(folder), RunFolder(folder).metrics())
    network = build(read_config(run, trust=False).network)
    load_strictly(network, run.folder.weights(run.metrics["headline"]))
    return network.eval()


def same_scores(folder: Path, old: nn.Module, inputs: dict[str, Tensor], *names: str) -> None:
    with torch.inference_mode():
        expected = old(*(inputs[name] for name in names)) if names else old(inputs)
        found = rebuilt(folder)(inputs).scores
    assert found.isfinite().all()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("segments", [5, 1])
def test_mosei(convert: Convert, segments: int) -> None:
    old = settled(OldMosei(segments=segments))
    content = {"epoch": 6, "model_state_dict": old.state_dict(), "optimizer_state_dict": {}}
    folder = convert(content, "msaf_mosei_epoch6.pth")
    same_scores(folder, old, batch(visual=(35, 23), audio=(74, 23), text=(20, 23)))
    metrics = RunFolder(folder).metrics()
    assert metrics["reported"] == {"released": {"epoch": 5}}  # counted from 0
    assert (metrics["task"], metrics["fusion"], metrics["fold"]) == ("mosei", "msaf", 0)


def test_ravdess(convert: Convert, tmp_path: Path) -> None:
    old = settled(OldRavdess())
    folder = convert(old.state_dict(), "fold_3_msaf_ravdess_best.pth")
    same_scores(folder, old, batch(video=(3, 6, 48, 48), audio=(13, 212)))
    metrics = RunFolder(folder).metrics()
    assert (metrics["fold"], metrics["provenance"]) == (2, "converted")
    assert metrics["reported"] == {"released": {"epoch": None}}
    assert metrics["classes"][0] == "neutral" and len(metrics["classes"]) == 8
    file = tmp_path / "fold_3_msaf_ravdess_best.pth"
    assert metrics["converted"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert metrics["converted"]["file"] == file.name
    json.dumps(metrics)
    cfg = read_config(FinishedRun(RunFolder(folder), metrics), trust=False)
    assert cfg.datamodule.video.channel_order == "bgr"
    assert cfg.datamodule.prepared == {"frame_choice": "spread", "face_source": "squeezed"}


def test_ntu_with_i3d(convert: Convert) -> None:
    old = settled(OldNTU(OldI3D(), (104, 128), (8, 64)))
    folder = convert(old.state_dict(), "i3d.checkpoint")
    same_scores(folder, old, batch(video=(3, 32, 224, 224), skeleton=(3, 32, 25, 2)))


def test_ntu_with_the_inflated_resnet(convert: Convert) -> None:
    old = settled(OldNTU(OldInflatedResNet(), (256, 512), (64, 256)))
    folder = convert(old.state_dict(), "resnet.checkpoint")
    inputs = batch(video=(3, 4, 48, 48), skeleton=(3, 32, 25, 2))
    same_scores(folder, old, inputs)
    metrics = RunFolder(folder).metrics()
    assert (metrics["fold"], metrics["modalities"]) == ("cs", ["video", "skeleton"])


@pytest.mark.parametrize(
    ("old", "inputs", "swapped"),
    [
        (OldMosei(), batch(visual=(35, 23), audio=(74, 23), text=(20, 23)), [
            ("msaf.0.blocks.0.dense_group.0", "msaf.0.blocks.0.dense_group.1"),
            ("msaf.0.blocks.0.dense_group.13", "msaf.0.blocks.1.dense_group.13"),
            ("msaf.0.blocks.3.joint_features.0", "msaf.0.blocks.4.joint_features.0"),
            ("msaf.0.blocks.3.joint_features.1", "msaf.0.blocks.4.joint_features.1"),
            ("visual_model.1.weight_ih_l0", "visual_model.1.weight_hh_l0"),
        ]),
        (OldRavdess(), batch(video=(3, 6, 48, 48), audio=(13, 212)), [
            ("msaf.0.blocks.0.dense_group.0", "msaf.0.blocks.0.dense_group.9"),
            ("msaf.1.blocks.0.dense_group.7", "msaf.1.blocks.0.dense_group.8"),
        ]),
        (OldNTU(OldInflatedResNet(), (256, 512), (64, 256)),
         batch(video=(3, 4, 48, 48), skeleton=(3, 32, 25, 2)), [
            ("skeleton.conv1.0", "skeleton.conv1m.0"),
            ("skeleton.conv4.0", "skeleton.conv4m.0"),
            ("msaf1.blocks.0.dense_group.4", "msaf1.blocks.0.dense_group.6"),
            ("msaf2.blocks.0.dense_group.2", "msaf2.blocks.0.dense_group.3"),
        ]),
    ],
    ids=["mosei", "ravdess", "ntu"],
)  # fmt: skip
def test_tensors_that_change_places_would_be_seen(
    old: nn.Module, inputs: dict[str, Tensor], swapped: list[tuple[str, str]]
) -> None:
    """What `same_scores` allows is far below what a wrong order of joined tensors does."""
    state = {name: x.clone() for name, x in settled(old).state_dict().items()}
    with torch.no_grad():
        expected = old(inputs)
        for one, other in swapped:
            changed = dict(state)
            for name in state:
                if name == one or name.startswith(f"{one}."):
                    there = name.replace(one, other, 1)
                    changed[name], changed[there] = state[there], state[name]
            old.load_state_dict(changed)
            difference = (old(inputs) - expected).abs().max()
            assert difference > 1e-4, (one, difference)


@pytest.mark.parametrize(
    ("old", "name", "modality", "shape"),
    [
        (OldResNeXt(8, [1, 1, 2, 1], 8), "fold_1_resnext50_best.pth", "video", (3, 6, 48, 48)),
        (OldMFCCNet(), "fold_1_mfccNet_best.pth", "audio", (13, 212)),
        (OldHCN(), "skeleton.checkpoint", "skeleton", (3, 32, 25, 2)),
        (OldInflatedResNet(), "rgb.checkpoint", "video", (3, 4, 48, 48)),
        (OldI3D(), "rgb.checkpoint", "video", (3, 16, 224, 224)),
    ],
)
def test_networks_of_one_modality(
    convert: Convert, old: nn.Module, name: str, modality: str, shape: tuple[int, ...]
) -> None:
    settled(old)
    folder = convert(old.state_dict(), name)
    same_scores(folder, old, batch(**{modality: shape}), modality)
    metrics = RunFolder(folder).metrics()
    assert (metrics["fusion"], metrics["modalities"]) == ("none", [modality])


def test_the_folds_of_one_network_are_one_experiment(convert: Convert, tmp_path: Path) -> None:
    found = []
    for number in (1, 2):
        folder = convert(settled(OldMFCCNet()).state_dict(), f"fold_{number}_mfccNet_best.pth")
        found.append(RunFolder(folder).metrics())
        folder.rename(tmp_path / f"fold{number}")
    assert found[0]["hash"] == found[1]["hash"]
    assert [metrics["fold"] for metrics in found] == [0, 1]
    convert(settled(OldMFCCNet()).state_dict(), "fold_1_mfccNet_best.pth", "fold=4")
    assert RunFolder(tmp_path / "run").metrics()["fold"] == 4  # what the user says counts


def test_names_that_dataparallel_prefixes(convert: Convert) -> None:
    old = settled(OldMFCCNet())
    state = {f"module.{name}": value for name, value in old.state_dict().items()}
    same_scores(convert(state, "fold_1.pth"), old, batch(audio=(13, 212)), "audio")


def test_counters_of_batch_norms_may_be_missing_as_in_files_of_old_versions(
    convert: Convert,
) -> None:
    old = settled(OldMFCCNet())
    state = {k: v for k, v in old.state_dict().items() if not k.endswith("num_batches_tracked")}
    same_scores(convert(state, "fold_1.pth"), old, batch(audio=(13, 212)), "audio")


def test_other_numbers_of_classes_are_read_from_the_file(convert: Convert) -> None:
    old = settled(OldHCN(classes=120))
    folder = convert(old.state_dict(), "skeleton.checkpoint")
    same_scores(folder, old, batch(skeleton=(3, 32, 25, 2)), "skeleton")
    assert RunFolder(folder).metrics()["classes"] is None  # the project knows the names of 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "inputs", "parameters"),
    [
        (lambda: OldMosei(text=768), {"visual": (35, 50), "audio": (74, 50), "text": (768, 50)},
         689_337),
        (lambda: OldRavdess(64, (3, 4, 6, 3), groups=32),
         {"video": (3, 8, 64, 64), "audio": (13, 212)}, 25_940_724),
        (lambda: OldNTU(OldI3D(64), (832, 1024), (64, 256)),
         {"video": (3, 32, 224, 224), "skeleton": (3, 32, 25, 2)}, 13_547_400),
        (lambda: OldNTU(OldInflatedResNet(64, (3, 4, 6, 3)), (1024, 2048), (64, 256)),
         {"video": (3, 8, 64, 64), "skeleton": (3, 32, 25, 2)}, 47_533_928),
    ],
    ids=["mosei", "ravdess", "i3d", "inflated_resnet"],
)  # fmt: skip
def test_the_sizes_of_the_paper(
    convert: Convert,
    old: Callable[[], nn.Module],
    inputs: dict[str, tuple[int, ...]],
    parameters: int,
) -> None:
    network = settled(old())
    folder = convert(network.state_dict(), "fold_1.pth")
    same_scores(folder, network, batch(**inputs))
    assert RunFolder(folder).metrics()["parameters"]["total"] == parameters
