"""One file and one yaml add a fusion, from outside the packages and their configs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import torch
from hydra.utils import instantiate
from torch import Tensor, nn

from models.backbones import BranchOutput
from models.fusions import Prediction, Readout
from models.tasks import Classification
from tests.models.fusions.helpers import compose
from tests.models.fusions.test_every_fusion import TINY, batch

MID = f"""
name: scaled
mid: {{_target_: {__name__}.Scaled, _partial_: true, start: 2.0}}
"""
READOUT = f"""
name: loudest
readout: {{_target_: {__name__}.Loudest, _partial_: true}}
"""
WORDS = [*TINY, "modalities=[audio,action_units]"]


class Scaled(nn.Module):
    """A mid-level fusion: one learned factor a channel."""

    takes_masks = False

    def __init__(self, in_channels: Sequence[int], *, start: float) -> None:
        super().__init__()
        self.factors = nn.ParameterList(torch.full((c,), start) for c in in_channels)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(features, self.factors, strict=True)
        return [x * f[(..., *[None] * (x.ndim - 2))] for x, f in pairs]


class Loudest(Readout):
    """A readout: the largest feature of each branch, mapped to the classes."""

    uses: ClassVar[Literal["logits", "features"]] = "features"

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        self.classify = nn.Linear(len(feature_sizes), outputs)

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        loudest = [out.features.amax(1) for out in branches.values()]
        return Prediction(self.classify(torch.stack(loudest, 1)), {})


def build(folder: Path, yaml: str, name: str) -> nn.Module:
    (folder / "fusion").mkdir()
    (folder / "fusion" / f"{name}.yaml").write_text(yaml)
    cfg = compose(*WORDS, f"fusion={name}", f"hydra.searchpath=[file://{folder}]")
    return instantiate(cfg.network, _convert_="all")


def test_a_mid_level_fusion(tmp_path: Path) -> None:
    net = build(tmp_path, MID, "scaled")
    points = [point.fusion for point in net.points]
    assert [[len(f) for f in fusion.factors] for fusion in points] == [[8, 16], [16, 16]]
    data = batch(["audio", "action_units"])
    net.loss(net(data), data, Classification.criterion)["total"].backward()
    assert all(f.grad is not None for fusion in points for f in fusion.factors)


def test_a_readout(tmp_path: Path) -> None:
    net = build(tmp_path, READOUT, "loudest")
    assert [branch.head for branch in net.branches.values()] == [None, None]
    data = batch(["audio", "action_units"])
    net.loss(net(data), data, Classification.criterion)["total"].backward()
    assert all(p.grad is not None for p in net.parameters())
