"""The fusion module beside plain formulations of its equations, and beside the memory's speed."""

from collections.abc import Callable, Sequence
from datetime import date
from pkgutil import resolve_name

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from scripts.benchmarks.cases import CASES, Case
from scripts.benchmarks.plain import ListedBlocks, ReshapedBlocks
from scripts.benchmarks.registry import ModuleOptions
from scripts.benchmarks.timing import keep_freed_memory, milliseconds, ratio, time_in_turn

Step = Callable[[], object]


class SeparateSegments(nn.Module):
    """Section 3.2 as it is drawn: the sequence in pieces, and a module for each."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Fuse ``(B, C_m, S)`` of each modality, S divisible by the segments."""
        pieces = zip(*[x.chunk(len(self.parts), dim=2) for x in features], strict=True)
        fused = [part(list(piece)) for part, piece in zip(self.parts, pieces, strict=True)]
        return [torch.cat(parts, dim=2) for parts in zip(*fused, strict=True)]


def run(options: ModuleOptions, console: Console | None = None) -> None:
    """Measure every case, and print one table per number of threads."""
    console = console or Console()
    kind = class_named(options.target)
    kept = keep_freed_memory()
    console.print(
        f"{date.today()}, torch {torch.__version__}, float32 on the CPU; medians of "
        f"{options.rounds} rounds in turn; freed memory {'kept' if kept else 'not kept'} "
        f"by the allocator"
    )
    for threads in options.threads:
        torch.set_num_threads(threads)
        table = Table(
            "case", "pass", title=f"{options.target}, threads: {threads}", title_justify="left"
        )
        for heading in ("ms", "beside", "its ms", "ratio"):
            table.add_column(heading, justify="left" if heading == "beside" else "right")
        for case in (case for case in CASES if case.name in options.cases):
            for training in (False, True):
                seconds = measure(case, kind, training, options)
                _add_rows(table, case, training, seconds)
        console.print(table)


def measure(
    case: Case, kind: Callable[..., nn.Module], training: bool, options: ModuleOptions
) -> dict[str, list[float]]:
    """The seconds of ours and of all others, by round.

    Raises:
        AssertionError: the others do not compute what ours does.
    """
    torch.manual_seed(0)
    ours, others = modules(case, kind)
    features = [torch.randn(case.batch, *shape) for shape in case.shapes]
    check_equal(ours, others, features)
    if options.compile:
        torch._dynamo.reset()
        others["compiled"] = _compiled(ours)
    candidates = {"ours": ours, **others}
    steps = {name: step(module, features, training) for name, module in candidates.items()}
    return time_in_turn({**steps, "floor": _traffic(features, training)}, options.rounds)


def class_named(target: str) -> Callable[..., nn.Module]:
    """The class of a fusion module by its dotted name.

    Raises:
        ValueError: there is none.
    """
    try:
        found: Callable[..., nn.Module] = resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"target={target}: expected a class as msaf.MSAF is, {error}") from error
    if not callable(found):
        raise ValueError(f"target={target}: expected a class as msaf.MSAF is, found a module")
    return found


def _add_rows(table: Table, case: Case, training: bool, seconds: dict[str, list[float]]) -> None:
    ours = seconds.pop("ours")
    head = [case.name, "forward+backward" if training else "forward", f"{milliseconds(ours):.3f}"]
    for name, theirs in seconds.items():
        row = [name, f"{milliseconds(theirs):.3f}", f"{ratio(theirs, ours):.2f}"]
        table.add_row(*head, *row, end_section=name == "floor")
        head = ["", "", ""]


def modules(case: Case, kind: Callable[..., nn.Module]) -> tuple[nn.Module, dict[str, nn.Module]]:
    """Our module, and by name what it is measured against, with the same weights."""
    settings = {"block_channels": case.block_channels, "reduction": case.reduction}
    ours = kind(case.in_channels, **settings, segments=case.segments)
    if case.segments > 1:
        parts = [kind(case.in_channels, **settings) for _ in range(case.segments)]
        for segment, part in enumerate(parts):
            part.load_state_dict(_segment_state(ours, part, segment))
        return ours, {f"{len(parts)} modules": SeparateSegments(parts)}
    plain = {
        "(a) reshaped": ReshapedBlocks(case.in_channels, **settings),
        "(b) listed": ListedBlocks(case.in_channels, **settings),
    }
    for module in plain.values():
        module.copy_weights(ours)
    return ours, dict(plain)


def _segment_state(module: nn.Module, part: nn.Module, segment: int) -> dict[str, Tensor]:
    return {
        name: module.state_dict()[name].reshape(-1, *tensor.shape)[segment]
        if tensor.ndim
        else tensor
        for name, tensor in part.state_dict().items()
    }


def _compiled(module: nn.Module) -> nn.Module:
    compiled = torch.compile(module, fullgraph=True, dynamic=False)
    assert isinstance(compiled, nn.Module)  # which a compiled module is, whatever its type says
    return compiled


def check_equal(ours: nn.Module, others: dict[str, nn.Module], features: list[Tensor]) -> None:
    """Compare the maps of all modules in evaluation.

    Raises:
        AssertionError: the others do not compute what ours does.
    """
    with torch.no_grad():
        wanted = ours.eval()(features)
        for module in others.values():
            torch.testing.assert_close(module.eval()(features), wanted, atol=1e-6, rtol=1e-5)


def step(module: nn.Module, features: list[Tensor], training: bool) -> Step:
    """One call in evaluation without gradients, or in training with those of all it depends on."""
    module.train(training)
    if not training:
        return torch.no_grad()(lambda: module(features))
    inputs = [x.clone().requires_grad_() for x in features]
    gradients = [torch.randn_like(x) for x in features]
    sources = [*inputs, *module.parameters()]
    return lambda: torch.autograd.grad(module(inputs), sources, gradients)


def _traffic(features: list[Tensor], training: bool) -> Step:
    """What no formulation can save: a read of every map for its mean, and a product.

    Backward, the gradient of the gate reads the map and the gradient once more, and the gradient
    of the map is a product again.
    """
    spatial = [tuple(range(2, x.ndim)) for x in features]
    gates = [x.new_ones(x.shape[:2] + (1,) * (x.ndim - 2)) for x in features]

    def step() -> None:
        with torch.no_grad():
            for x, gate, dims in zip(features, gates, spatial, strict=True):
                for _ in range(3 if training else 1):
                    if dims:
                        x.mean(dims)
                for _ in range(2 if training else 1):
                    x * gate

    return step
