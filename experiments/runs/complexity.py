"""Parameters and FLOPs of a network, counted on the meta device, where nothing is allocated."""

from collections.abc import Callable, Mapping, Sequence

import torch
from omegaconf import DictConfig
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from experiments.contracts import Network
from experiments.runs.compose import REPEATS, build, compose, whole_network
from experiments.runs.overrides import Overrides

# Overrides that say on which data, and at which size, a run is.
OF_THE_SIZE = ("data", "task.branches", "task.shapes")


def count_parameters(network: Network) -> dict[str, int]:
    """Return the parameters, also frozen ones: `total`, and each part's."""
    counts = {name: _count(part) for name, part in network.parts().items()}
    return {"total": _count(network), **counts}


def count_flops(
    build_network: Callable[[], Network], shapes: Mapping[str, Sequence[int]]
) -> dict[str, int]:
    """Return the FLOPs (two a multiply-add) of one forward pass for one sample, in all and by part.

    Only products count: linear layers, convolutions, matrix products. Sums, norms, activations and
    the gates' own multiplications do not.

    Args:
        build_network: builds the network; it is called under the meta device.
        shapes: each modality's input shape without the batch.
    """
    with torch.device("meta"):
        network = build_network().eval()
        batch = {name: torch.empty(1, *shape) for name, shape in shapes.items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(batch)
    by_module = counter.get_flop_counts()
    names = {id(module): name for name, module in network.named_modules()}
    root = type(network).__name__

    def flops_of(module: nn.Module) -> int:
        own = by_module.get(f"{root}.{names[id(module)]}")
        # A part that only holds others, as a list of fusion points does, is never called itself.
        return sum(own.values()) if own else sum(map(flops_of, module.children()))

    flops = {part: flops_of(module) for part, module in network.parts().items()}
    return {"total": counter.get_total_flops(), **flops}


def at_paper_size(overrides: Overrides) -> DictConfig:
    """Compose a run's overrides without those that say on which data, and at which size, it is."""
    kept = overrides.without(*OF_THE_SIZE, *REPEATS)
    return compose(Overrides([*kept, "data=full", "data.root=none"]))


def paper_size_parameters(overrides: Overrides) -> dict[str, int]:
    """Count the parameters that a run's network would have at the paper's size.

    Returns:
        As `count_parameters`, and `with_heads`: the total with a head on every branch, because the
        paper counts the heads also where the fusion does not use them. A fusion that is a whole
        network has no more heads than it uses.
    """
    cfg = at_paper_size(overrides)
    with torch.device("meta"):
        network = build(cfg.network)
        headed = network if whole_network(cfg) else build(cfg.network, all_heads=True)
    return count_parameters(network) | {"with_heads": count_parameters(headed)["total"]}


def paper_size_flops(overrides: Overrides) -> dict[str, int]:
    """Count the FLOPs that a run's network would have at the paper's size, as `count_flops`."""
    cfg = at_paper_size(overrides)
    shapes = {name: list(cfg.task.shapes[name]) for name in cfg.modalities}
    return count_flops(lambda: build(cfg.network), shapes)


def _count(module: Network | nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
