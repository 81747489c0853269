"""Attention beside the paper's equations in a loop, and blocks beside the paper's own counts."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import hydra
import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from torch import Tensor, nn

from experiments.evaluation.attention import ModuleAttention, attention_modules, measure
from experiments.evaluation.finished import find_runs
from experiments.evaluation.reopen import Reopened, reopen
from experiments.runs.compose import build, compose
from experiments.runs.overrides import Overrides
from msaf import MSAF
from tests.experiments.conftest import CONFIGS, MakeRun
from tests.msaf.naive import naive_msaf

CHANNELS = {"face": [6], "voice": [3]}  # blocks of 2: three, and two of which the last is padded
POINTS = {name: {"stages": {"face": 1, "voice": 1}} for name in ("early", "late")}
CFG = {"points": ["early", "late"], "task": {"points": POINTS}, "modalities": ["face", "voice"]}


class Scores(NamedTuple):
    scores: Tensor


class Point(nn.Module):
    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.channels, self.join = CHANNELS, False
        self.fusion = MSAF([6, 3], block_channels=2, reduction=1, **settings).double()


class TwoPoints(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.points = nn.ModuleList([Point(), Point(segments=2)])

    def forward(self, batch: dict[str, Tensor]) -> Scores:
        features = [batch["face"], batch["voice"]]
        for point in self.points:
            features = point.fusion(features)
        return Scores(torch.stack([x.mean((1, 2)) for x in features], 1))


def batches() -> list[dict[str, Tensor]]:
    """Seven samples in two batches, whose rows are not in order."""
    torch.manual_seed(0)
    rows = torch.tensor([4, 0, 6, 2, 1, 5, 3])
    every = {
        "id": rows,
        "label": rows * 10,
        "face": torch.randn(7, 6, 5).double(),
        "voice": torch.randn(7, 3, 4).double(),
    }
    return [{k: v[:4] for k, v in every.items()}, {k: v[4:] for k, v in every.items()}]


def opened(network: nn.Module) -> Reopened:
    data: Any = SimpleNamespace(ids=[f"clip{row}" for row in range(7)])
    run: Any = None
    return Reopened(run, OmegaConf.create(CFG), network.eval(), data, torch.device("cpu"))


def by_hand(attention: Tensor) -> np.ndarray:
    """A block's mean over its true channels: the second of the last block is none."""
    found = np.zeros(attention.shape[:3])
    for place in np.ndindex(found.shape):
        channels = attention[place].tolist()
        found[place] = channels[0] if place[2] == 4 else (channels[0] + channels[1]) / 2
    return found


def test_blocks_and_shares_are_those_of_the_equations() -> None:
    network = TwoPoints().eval()
    measured = measure(opened(network), batches())
    assert [m.name for m in measured.modules] == ["early", "late"]
    assert measured.ids.tolist() == [f"clip{row}" for row in range(7)]
    assert measured.labels.tolist() == [0, 10, 20, 30, 40, 50, 60]
    for batch in batches():
        rows, x = batch["id"].tolist(), [batch["face"], batch["voice"]]
        for point, module in zip(network.points, measured.modules, strict=True):
            with torch.no_grad():
                x, attention = naive_msaf(point.fusion, x)  # (B, q, n, C)
            blocks = by_hand(attention)
            assert np.allclose(module.blocks[rows], blocks, atol=1e-12)
            face, voice = blocks[..., 0:3].sum(-1), blocks[..., 3:5].sum(-1)
            assert np.allclose(module.shares[rows][..., 0], face / (face + voice), atol=1e-12)
        expected = torch.stack([a.mean((1, 2)) for a in x], 1)
        assert np.allclose(measured.scores[rows], expected, atol=1e-12)
    for module in measured.modules:
        assert module.of_block == ("face", "face", "face", "voice", "voice")
        assert np.allclose(module.uniform, [3 / 5, 2 / 5])
        assert np.allclose(module.shares.sum(-1), 1)
    assert measured.modules[0].shares.shape == (7, 1, 2)
    assert measured.modules[1].shares.shape == (7, 2, 2)


def test_shares_without_padding_are_plain_sums() -> None:
    blocks = np.array([[[0.1, 0.2, 0.3, 0.4]]])
    module = ModuleAttention("late", ("video", "audio", "audio", "video"), blocks)
    assert module.modalities == ("video", "audio")
    assert np.allclose(module.shares, [[[0.5, 0.5]]])
    assert np.allclose(module.uniform, [0.5, 0.5])


def test_a_network_without_the_module_has_none() -> None:
    class Plain(nn.Module):
        def forward(self, batch: dict[str, Tensor]) -> Scores:
            return Scores(batch["voice"].mean(2))

    measured = measure(opened(Plain()), batches())
    assert measured.modules == ()
    assert measured.scores.shape == (7, 3)


def test_points_without_names_are_numbered() -> None:
    cfg = OmegaConf.create({"modalities": ["face", "voice"]})
    assert [m.name for m in attention_modules(TwoPoints(), cfg)] == ["point 1", "point 2"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        # 1024 + 32 channels in blocks of 16, 2048 + 64 in blocks of 32: audio has two of 66 in
        # both, so the caption of the paper's Figure 7, "blocks 14-16", fits neither.
        (["task=ravdess"], {"middle": [64, 2], "late": [64, 2]}),
        # 32 + 128 channels in blocks of 16, 64 + 128 in blocks of 32.
        (
            ["task=ravdess", "modalities=[audio,action_units]"],
            {"middle": [2, 8], "late": [2, 4]},
        ),
        (["task=mosei"], {"middle": [2, 4, 8]}),
        # Two persons of 128 channels each, side by side with 832 in blocks of 64.
        (["task=ntu"], {"intermediate": [13, 4], "late": [4, 2]}),
        # Both persons joined: 256 in blocks of 128, and 832 / 128 is 6.5.
        (["task=ntu", "points=[early]"], {"early": [7, 2]}),
        (["task=ntu", "points=[early]", "protocol.ntu_early=null"], {"early": [13, 4]}),
    ],
)
def test_blocks_of_the_papers_networks(
    overrides: list[str], expected: dict[str, list[int]]
) -> None:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        cfg = compose(Overrides([*overrides, "fusion=msaf", "data=full", "data.root=none"]))
        with torch.device("meta"):
            network = build(cfg.network)
    found = {m.name: m.of_block for m in attention_modules(network, cfg)}
    modalities = list(cfg.modalities)
    assert {k: [b.count(m) for m in modalities] for k, b in found.items()} == expected


def test_a_run_opened_again_attends(make_run: MakeRun) -> None:
    made = make_run("fusion=msaf", "modalities=[audio,action_units]", "init=scratch", "epochs=1")
    made.complete()
    run = find_runs(str(made.folder.path))[0]
    measured = measure(reopen(run, "last_epoch", trust=True))
    stored = run.predictions("last_epoch")
    assert measured.ids.tolist() == stored.ids.tolist()
    assert np.allclose(measured.scores, stored.scores, atol=1e-5)
    assert [m.name for m in measured.modules] == ["middle", "late"]
    for module in measured.modules:
        assert module.modalities == ("audio", "action_units")
        assert np.allclose(module.blocks.sum(-1), 1)
        assert np.allclose(module.shares.sum(-1), 1)
        assert module.blocks.std(0).max() > 0  # it responds to the sample
