"""The MSAF module beside its plain formulations, and beside the memory's speed.

The floor is the time in which the device copies as many bytes as have to be moved at least.
"""

from collections.abc import Callable, Iterator
from functools import cache

import torch

from scripts.benchmarks.cases import CASES, Case
from scripts.benchmarks.gpu_plan import Measurement
from scripts.benchmarks.gpu_report import Row
from scripts.benchmarks.gpu_timing import Bench, float32_products
from scripts.benchmarks.module import check_equal, class_named, modules, step

COPIED, TINY_COPIED = 2**30, 2**25  # bytes
FLOAT = 4  # bytes
# Whole maps that move at least once. Forward reads a map and writes another. Backward reads the map
# and the gradient of the result, for the gate's gradient and its own, and writes the latter.
FORWARD_MAPS, BACKWARD_MAPS = 2, 3


def plan(bench: Bench) -> Iterator[Measurement]:
    """Every place of the paper, forward alone and with backward."""
    for case in CASES:
        for training in (False, True):
            names = {"maps": case.name, "pass": "forward+backward" if training else "forward"}
            yield Measurement("module", names, measuring(case, training, bench))


def measuring(case: Case, training: bool, bench: Bench) -> Callable[[], Row]:
    """What measures milliseconds of ours, and the ratios of the others and the floor to them.

    All are checked to compute the same, on the CPU. On a GPU its cache is emptied before each
    round.
    """

    def measure() -> Row:
        torch.manual_seed(0)
        ours, others = modules(case, class_named("msaf.MSAF"))
        features = [torch.randn(case.batch, *shape) for shape in case.shapes]
        check_equal(ours, others, features)
        features = [x.to(bench.device) for x in features]
        with float32_products("fp32"):
            flush = bench.flush()
            seconds = {
                name: bench.median(
                    step(module.to(bench.device), features, training), most=200, before=flush
                )
                for name, module in {"msaf": ours, **others}.items()
            }
        own = seconds["msaf"]
        bandwidth = copy_bandwidth(bench)
        moved = least_bytes(case, training)
        row: Row = {"ms": 1000 * own}
        for place, name in enumerate(others):
            row["other" if not place else "another"] = name
            row["other_/_msaf" if not place else "another_/_msaf"] = seconds[name] / own
        return row | {
            "floor_mb": moved / 1e6,
            "floor_/_msaf": moved / bandwidth / own,
            "copy_gb_per_second": bandwidth / 1e9,
        }

    return measure


def least_bytes(case: Case, training: bool) -> int:
    """Bytes of float32 maps that any way to compute MSAF has to read and write.

    Gates, weights and means are left out: together they are a thousandth of the larger maps.
    """
    numbers = case.batch * sum(torch.Size(shape).numel() for shape in case.shapes)
    return FLOAT * numbers * (FORWARD_MAPS + (BACKWARD_MAPS if training else 0))


@cache
def copy_bandwidth(bench: Bench) -> float:
    """Bytes a second that a copy within the device's memory reads and writes."""
    source = bench.random(TINY_COPIED // FLOAT if bench.tiny else COPIED // FLOAT)
    target = torch.empty_like(source)
    moved = 2 * source.numel() * FLOAT
    return moved / bench.median(lambda: target.copy_(source))
