"""Parameters and FLOPs of a network, counted on the meta device, where nothing is allocated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(network: nn.Module) -> dict[str, int]:
    """Return the trainable parameters: `total`, and each part's if the network names its parts."""
    parts: dict[str, nn.Module] = getattr(network, "parts", dict)()
    counts = {name: _count(part) for name, part in parts.items()}
    return {"total": _count(network), **counts}


def count_flops(build: Callable[[], nn.Module], shapes: Mapping[str, Sequence[int]]) -> int:
    """Return the FLOPs (two per multiply-add) of one forward pass for one sample.

    Args:
        build: builds the network; it is called under the meta device.
        shapes: each modality's input shape without the batch.
    """
    with torch.device("meta"):
        network = build().eval()
        batch = {name: torch.empty(1, *shape) for name, shape in shapes.items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(batch)
    return counter.get_total_flops()


def _count(module: Any) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
