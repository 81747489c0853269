"""Every fusion beside MSAF at the paper's shapes: time, parameters, FLOPs and memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import hydra
import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._pytree import tree_leaves, tree_map

from experiments.runs.complexity import at_paper_size, count_flops, count_parameters
from experiments.runs.compose import build
from experiments.runs.overrides import Overrides
from scripts.benchmarks.options import refuse
from scripts.benchmarks.registry import FusionsOptions
from scripts.benchmarks.timing import keep_freed_memory, milliseconds, ratio, time_in_turn

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
YARDSTICK = "msaf"

Inputs = Any  # tensors in lists and tuples, as the modules take them


class Fusion(nn.Module):
    """What one fusion adds to the branches: its modules at the fusion points, and its readout.

    Args:
        network: of which these parts are taken.
    """

    def __init__(self, network: Any, criterion: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.mid = nn.ModuleList(point.fusion for point in network.points)
        self.readout = network.readout
        self.criterion = criterion

    def forward(self, maps: Inputs, ends: Inputs, labels: Tensor) -> list[Tensor]:
        """Return all fused maps, and the scores or, in training, the loss."""
        fused = [x for module, inputs in zip(self.mid, maps, strict=True) for x in module(inputs)]
        prediction = self.readout(ends)
        if not self.training:
            return [*fused, prediction.scores]
        return [*fused, self.readout.loss(prediction, {"label": labels}, self.criterion)["total"]]


def run(options: FusionsOptions, overrides: Overrides, console: Console | None = None) -> None:
    """Measure all fusions in turn and print one table, MSAF first."""
    refuse(overrides, fusion="expected fusions=[...]", batch_size="expected batch=")
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    names = [YARDSTICK, *(name for name in options.fusions if name != YARDSTICK)]
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        fusions = {name: Measured(overrides.setting(fusion=name), options.batch) for name in names}
    passes = [
        time_in_turn({n: fusion.step(training) for n, fusion in fusions.items()}, options.rounds)
        for training in (False, True)
    ]
    table = _empty_table(options)
    for name, fusion in fusions.items():
        memory = added_memory(fusion.module, fusion.inputs) / 1e6
        row = [f"{fusion.parameters:,}", f"{fusion.flops / 1e3:,.1f}", f"{memory:.2f}"]
        for seconds in passes:
            times = ratio(seconds[name], seconds[YARDSTICK])
            row += [f"{milliseconds(seconds[name]):.3f}", f"{times:.2f}"]
        table.add_row(name, *row)
    (console or Console()).print(table)


def _empty_table(options: FusionsOptions) -> Table:
    title = (
        f"{date.today()}, torch {torch.__version__}, float32 on the CPU, batch {options.batch}, "
        f"threads {options.threads}; milliseconds, medians of {options.rounds} rounds"
    )
    narrow: Any = {"box": box.SIMPLE, "pad_edge": False, "collapse_padding": True}
    table = Table("fusion", title=title, title_justify="left", **narrow)
    for heading in ("parameters", "kFLOPs", "MB", "forward", "x MSAF", "training", "x MSAF"):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


class Measured:
    """One fusion with random inputs of the shapes that it meets in the network.

    Args:
        overrides: of the run, at the paper's size whatever they say of the data.
        batch: samples of the inputs.

    Attributes:
        parameters: of its modules and its readout, the branches and their heads not counted.
        flops: of both, for one sample.
    """

    def __init__(self, overrides: Overrides, batch: int) -> None:
        cfg = at_paper_size(overrides)
        shapes = {name: list(cfg.task.shapes[name]) for name in cfg.modalities}
        torch.manual_seed(0)
        network = build(cfg.network)
        counts, flops = count_parameters(network), count_flops(lambda: build(cfg.network), shapes)
        self.parameters = counts["fusion"] + counts["readout"]
        self.flops = flops["fusion"] + flops["readout"]
        task: Any = hydra.utils.get_class(cfg.task.module._target_)
        self.module = Fusion(network, task.criterion)
        inputs = _inputs(lambda: build(cfg.network), shapes, batch)
        labels = torch.arange(batch) % int(cfg.task.outputs)
        self.inputs = (*inputs, labels)

    def step(self, training: bool) -> Callable[[], object]:
        """One call in evaluation, or in training with the gradients of all that it depends on."""
        if not training:
            return torch.no_grad()(lambda: self.module.eval()(*self.inputs))
        sources = [x for x in _given(self.module, self.inputs) if x.requires_grad]
        gradients = [torch.ones_like(x) for x in self.module.train()(*self.inputs)]
        return lambda: torch.autograd.grad(self.module.train()(*self.inputs), sources, gradients)


def added_memory(module: nn.Module, inputs: Inputs) -> int:
    """Bytes that a training pass adds: its results, and what autograd keeps for backward.

    Inputs and parameters are there anyway and not counted.
    """
    found: dict[int, int] = {}

    def note(x: Tensor) -> Tensor:
        found[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with saved_tensors_hooks(note, lambda x: x):
        for result in module.train()(*inputs):
            note(result)
        for x in _given(module, inputs):
            found.pop(x.untyped_storage().data_ptr(), None)
    return sum(found.values())


def _given(module: nn.Module, inputs: Inputs) -> list[Tensor]:
    leaves = tree_leaves((inputs, list(module.parameters())))
    return [x for x in leaves if isinstance(x, Tensor)]


def _inputs(
    build_network: Callable[[], Any], shapes: Mapping[str, Sequence[int]], batch: int
) -> tuple[Inputs, Inputs]:
    """Random maps at every fusion point, and ends of the branches, as the network hands them on."""
    seen: list[Inputs] = []
    with torch.device("meta"), torch.no_grad():
        network = build_network().eval()
        for module in (*(point.fusion for point in network.points), network.readout):
            module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        network({name: torch.empty(batch, *shape) for name, shape in shapes.items()})
    *maps, ends = seen
    unused = "features" if network.readout.uses == "logits" else "logits"
    ends = {name: end._replace(**{unused: None}) for name, end in ends.items()}
    return tree_map(_random, maps), tree_map(_random, ends)


def _random(x: Tensor | None) -> Tensor | None:
    return None if x is None else torch.randn(x.shape, requires_grad=True)
