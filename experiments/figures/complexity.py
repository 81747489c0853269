"""Figure 5: parameters and FLOPs of a fusion module over the channels of its two modalities.

The paper compares MSAF with MMTM: two modalities of c channels each, maps of 3 x 128 x 128, a batch
of 4, blocks of c / 2 channels and a reduction of 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from matplotlib import rc_context
from omegaconf import DictConfig
from torch.utils.flop_counter import FlopCounterMode

from experiments.figures.style import COLORS, LOOK, MARKERS, new_figure, save
from experiments.runs.compose import build, compose
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

CHANNELS = tuple(2**k for k in range(3, 11))  # 8 to 1024
MAPS, BATCH = (3, 128, 128), 4
FUSIONS = ("msaf", "mmtm")  # the paper's
# What a module is measured with, whatever a task sets; MSAF alone has such settings.
PLAIN = {"block_channels": "auto", "reduction": 4, "block_dropout": 0.0, "segments": 1}


@dataclass(frozen=True)
class Size:
    """What a module costs.

    Args:
        fusion: its name.
        channels: of each of the two modalities.
        parameters: of the module.
        flops: of a batch of 4, two a multiply-add of a product, as PyTorch counts them.
        paper_flops: the same in the paper's convention: two for each operation that ptflops counted
            in 2020, which are multiply-adds without biases, two for each value of a batch norm and
            one for each of a ReLU. It gives the four figures of the paper's text.
    """

    fusion: str
    channels: int
    parameters: int
    flops: int
    paper_flops: int


def measure(fusion: str, channels: Sequence[int] = CHANNELS) -> list[Size]:
    """Count for each number of channels; nothing is allocated.

    Args:
        fusion: a mid-level one.
        channels: of each of the two modalities.

    Raises:
        RunError: if the fusion has no module at a fusion point.
    """
    return [_size(fusion, _module(fusion), count) for count in channels]


def figure5(out: Path, fusions: Sequence[str] = FUSIONS) -> list[Path]:
    """Draw Figure 5 and return the files that were written.

    Args:
        out: the folder.
        fusions: the mid-level fusions to show.
    """
    sizes = {fusion: measure(fusion) for fusion in fusions}
    with rc_context(LOOK):
        figure = new_figure(columns=2, height=2.6)
        left, right = figure.subplots(1, 2)
        for fusion, color, marker in zip(fusions, COLORS, MARKERS, strict=False):
            found = sizes[fusion]
            style: dict[str, Any] = {"color": color, "marker": marker}
            left.plot(CHANNELS, [s.parameters for s in found], label=fusion, **style)
            right.plot(CHANNELS, [s.paper_flops for s in found], label=fusion, **style)
        left.set(ylabel="parameters")
        right.set(ylabel=f"FLOPs, batch of {BATCH} (paper's count)")
        for axes in (left, right):
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xticks(CHANNELS, [str(c) for c in CHANNELS])
            axes.minorticks_off()
            axes.set(xlabel="channels of each of two modalities")
            axes.grid(axis="y", linewidth=0.4, color="#dddddd")
        left.legend(loc="upper left")
    rows = [vars(size) for found in sizes.values() for size in found]
    return save(figure, out / "figure5", rows)


def _module(fusion: str) -> DictConfig:
    """Return the configured module of a fusion, as the plainest of all tasks has it."""
    cfg = compose(Overrides(["task=ravdess", f"fusion={fusion}", "data=full", "data.root=none"]))
    mid = cfg.fusion.get("mid")
    if mid is None:
        raise RunError(f"fusions={fusion}: expected fusions with a module, such as msaf or mmtm")
    return mid


def _size(fusion: str, mid: DictConfig, channels: int) -> Size:
    plain = {name: value for name, value in PLAIN.items() if name in mid}
    with torch.device("meta"):
        module = build(mid, **plain)([channels, channels]).eval()
        features = [torch.empty(BATCH, channels, *MAPS) for _ in range(2)]
    return Size(
        fusion=fusion,
        channels=channels,
        parameters=sum(p.numel() for p in module.parameters()),
        flops=_count(module, features, {}),
        paper_flops=_count(module, features, _papers()),
    )


def _count(module: torch.nn.Module, features: list[torch.Tensor], more: dict[Any, Any]) -> int:
    with FlopCounterMode(display=False, custom_mapping=more) as counter, torch.no_grad():
        module(features)
    return int(counter.get_total_flops())


def _papers() -> dict[Any, Any]:
    """Return what the paper's convention counts beside products."""

    def relu(shape: Sequence[int], *rest: Any, **more: Any) -> int:
        return 2 * prod(shape)

    def batch_norm(shape: Sequence[int], *rest: Any, **more: Any) -> int:
        return 2 * 2 * prod(shape)

    aten = torch.ops.aten
    evaluated = aten._native_batch_norm_legit_no_training  # what a batch norm becomes on the way
    return {aten.relu: relu, aten.native_batch_norm: batch_norm, evaluated: batch_norm}
