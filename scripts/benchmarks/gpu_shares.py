"""Where a training step's time goes: augmentation, branches, fusion, backward and optimizer."""

import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from omegaconf import DictConfig
from torch import nn

from experiments.runs.compose import build
from scripts.benchmarks.gpu_plan import Measurement
from scripts.benchmarks.gpu_report import Row
from scripts.benchmarks.gpu_steps import (
    TRAININGS,
    Batch,
    Trainee,
    Training,
    Way,
    random_batch,
    trained,
)
from scripts.benchmarks.gpu_timing import Bench, Mark, seconds_between

ROUNDS, TINY_ROUNDS = 20, 2
LENGTH, ADDED_FRAMES = "skeleton_length", 10  # the array beside NTU's skeletons, and its padding


def plan(bench: Bench) -> Iterator[Measurement]:
    """Every network in bfloat16, where products of matrices weigh least; on a CPU in float32."""
    way = Way("bf16", "bf16") if bench.cuda else Way("fp32", "fp32")
    for training in TRAININGS:
        names = {"network": training.name, "precision": way.name}
        yield Measurement("shares", names, measuring(training, way, bench))


def measuring(training: Training, way: Way, bench: Bench) -> Callable[[], Row]:
    """What measures the percent of each part; augmentation where the network's data have one."""

    def measure() -> Row:
        with trained(training, way, bench) as (trainee, cfg):
            found = parts(trainee, augmenting(training, cfg, bench), bench)
        if not training.packed:
            del found["augmentation"]
        whole = sum(found.values())
        percent: Row = {name: 100 * seconds / whole for name, seconds in found.items()}
        return percent | {"ms_per_step": 1000 * whole}

    return measure


def parts(trainee: Trainee, augment: Callable[[], Batch], bench: Bench) -> dict[str, float]:
    """The median seconds of every part of a step, in their order.

    Marks stand before and after every fusion point; the rest of the forward pass is the branches'
    and the readout's.
    """
    marks: list[Mark] = []

    def mark(*_: object) -> None:
        marks.append(bench.mark())

    points: nn.ModuleList = trainee.task.network.points
    handles = [point.register_forward_pre_hook(mark) for point in points]
    handles += [point.register_forward_hook(mark) for point in points]
    rounds: list[list[float]] = []

    def step() -> None:
        marks.clear()
        mark()
        batch = augment()
        mark()
        loss = trainee.forward(batch)
        mark()
        trainee.update(loss)
        mark()

    bench.heat(step)
    for _ in range(TINY_ROUNDS if bench.tiny else ROUNDS):
        step()
        bench.wait()
        rounds.append([seconds_between(*pair) for pair in pairwise(marks)])
    for handle in handles:
        handle.remove()
    augmentation, *forward, backward = map(statistics.median, zip(*rounds, strict=True))
    return {
        "augmentation": augmentation,
        "branches_and_readout": sum(forward[::2]),
        "fusion": sum(forward[1::2]),
        "backward_and_optimizer": backward,
    }


def augmenting(training: Training, cfg: DictConfig, bench: Bench) -> Callable[[], Batch]:
    """What makes a training batch of a packed one, as the datamodule does on the device.

    Where there is nothing to augment, it gives the same batch again and again.
    """
    raw = random_batch(training, cfg, bench)
    if not training.packed:
        return lambda: raw
    data = build(cfg.datamodule)
    size = len(raw["label"])
    for name, (paper, tiny) in training.packed.items():
        shape = tiny if bench.tiny else paper
        draw = getattr(data.augmentation, training.draws[name])
        drawn = [draw(shape, np.random.default_rng(row)) for row in range(size)]
        raw[f"{name}_drawn"] = np.stack(drawn)
        if name == "video":
            raw[name] = bench.random_bytes(size, *shape)
        else:
            raw[name] = bench.random(size, *shape)
            raw[LENGTH] = np.full(size, shape[1] - ADDED_FRAMES)
    return lambda: dict(data.on_after_batch_transfer(dict(raw), 0))
