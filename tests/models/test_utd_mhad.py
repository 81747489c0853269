"""The three branches of UTD-MHAD as they are configured: tapped shapes, fusions, an oracle."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from experiments.runs.compose import build
from models.backbones import InertialCNN
from msaf import MSAF
from tests.models.fusions.helpers import compose, count
from tests.models.test_backbones import parameters, shapes_by_stage

INPUTS = {"skeleton": (3, 32, 20, 1), "inertial": (6, 128), "depth": (3, 8, 32, 32)}


def network(*overrides: str) -> Any:
    return build(compose("task=utd_mhad", "data=full", "data.root=x", *overrides).network)


def test_tapped_shapes_of_the_three_branches() -> None:
    branches = network("fusion=sum", "modalities=[skeleton,inertial,depth]").branches
    found = {
        name: shapes_by_stage(b, torch.zeros(2, *INPUTS[name])) for name, b in branches.items()
    }
    assert found["skeleton"]["conv5"] == [(64, 4, 2)]
    assert found["skeleton"]["fc7"] == [(256,)]
    assert found["inertial"] == {"conv1": [(64, 128)], "conv2": [(128, 64)], "conv3": [(64, 32)]}
    assert found["depth"] == {
        "stem": [(8, 4, 8, 8)],
        "layer1": [(32, 4, 8, 8)],
        "layer2": [(64, 2, 4, 4)],
        "layer3": [(128, 1, 2, 2)],
        "layer4": [(256, 1, 1, 1)],
    }


@pytest.mark.parametrize(
    ("modalities", "channels"),
    [
        ("skeleton,inertial", [(64, 128), (256, 64)]),
        ("inertial,depth", [(128, 128), (64, 256)]),
        ("skeleton,inertial,depth", [(64, 128, 128), (256, 64, 256)]),
    ],
)
def test_two_points_for_any_modalities(modalities: str, channels: list[tuple[int, ...]]) -> None:
    built = network("fusion=msaf", f"modalities=[{modalities}]")
    gates = [point.fusion for point in built.points]
    assert all(isinstance(gate, MSAF) for gate in gates)
    assert [tuple(gate.in_channels) for gate in gates] == channels
    batch = {name: torch.randn(2, *shape) for name, shape in INPUTS.items()}
    assert built(batch).scores.shape == (2, 27)


@pytest.mark.parametrize("modality", INPUTS)
def test_one_modality_alone_exchanges_nothing(modality: str) -> None:
    built = network("fusion=none", f"modalities=[{modality}]")
    assert list(built.branches) == [modality] and not len(built.points)


def test_inertial_network_by_hand() -> None:
    branch = InertialCNN(outputs=27)
    assert parameters(branch) == sum(
        (6 * 64 * 7 + 128, 64 * 128 * 5 + 256, 128 * 64 * 3 + 128, 64 * 27 + 27)
    )
    assert branch.feature_size == 64 and count(branch) == parameters(branch)
    torch.manual_seed(0)
    small = InertialCNN(outputs=2, channels=2, width=3).double().eval()
    x = np.random.default_rng(0).normal(size=(1, 2, 8))
    y = x[0]
    for number, stage in enumerate(("conv1", "conv2", "conv3")):
        if number:
            y = y.reshape(len(y), -1, 2).max(2)
        layers = small.stages[stage].modules()
        (weight,) = (m.weight.detach().numpy() for m in layers if isinstance(m, nn.Conv1d))
        half = weight.shape[2] // 2
        wide = np.pad(y, ((0, 0), (half, half)))
        y = np.array(
            [
                [(kernel * wide[:, t : t + 2 * half + 1]).sum() for t in range(y.shape[1])]
                for kernel in weight
            ]
        )
        y = np.maximum(y / np.sqrt(1 + 1e-5), 0)  # fresh norm: mean 0, variance 1
    head = small.head
    assert head is not None
    expected = head.weight.detach().numpy() @ y.mean(1) + head.bias.detach().numpy()
    found = small.finish(small.begin(torch.from_numpy(x))).logits
    assert found is not None
    np.testing.assert_allclose(found.detach().numpy()[0], expected, atol=1e-9)
