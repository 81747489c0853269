"""Training steps of the paper's networks with MSAF, built from the real configuration.

Legend: B samples.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hydra
import torch
from omegaconf import DictConfig
from torch import Tensor

from experiments.runs.compose import build, compose
from experiments.runs.overrides import Overrides
from experiments.runs.speed import hasten
from scripts.benchmarks.gpu_plan import Measurement, SkippedError
from scripts.benchmarks.gpu_report import Row
from scripts.benchmarks.gpu_timing import Bench, deterministic, float32_products

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
Shape = tuple[int, ...]
Batch = dict[str, Any]


@dataclass(frozen=True)
class Training:
    """One network of the paper.

    Args:
        name: for the report.
        overrides: of `train.py`, without fusion and data.
        tiny: shapes of a sample's modalities where they are not those of the paper.
        packed: modality -> shape of a packed sample and, for the tiny size, another one; only of
            what is augmented on the device.
        draws: modality -> method of the datamodule's augmentation that draws for it.
    """

    name: str
    overrides: tuple[str, ...]
    tiny: Mapping[str, Shape] = field(default_factory=dict)
    packed: Mapping[str, tuple[Shape, Shape]] = field(default_factory=dict)
    draws: Mapping[str, str] = field(default_factory=dict)


NTU_PACKED = {
    "video": ((32, 128, 128, 3), (8, 48, 48, 3)),
    "skeleton": ((3, 100, 25, 2), (3, 40, 25, 2)),
}
NTU_DRAWS = {"video": "draw_video", "skeleton": "draw_skeleton"}
RAVDESS = Training(
    "RAVDESS",
    ("task=ravdess",),
    tiny={"video": (3, 8, 40, 40)},
    packed={"video": ((30, 224, 224, 3), (8, 40, 40, 3))},
    draws={"video": "draw"},
)
TRAININGS = (
    RAVDESS,
    *(
        Training(
            f"NTU, {name}",
            ("task=ntu", f"rgb={rgb}"),
            tiny={"video": (3, 8, 42, 42)},
            packed=NTU_PACKED,
            draws=NTU_DRAWS,
        )
        for name, rgb in (("I3D", "i3d"), ("inflated ResNet50", "inflated_resnet50"))
    ),
    Training("MOSEI", ("task=mosei",)),
)


@dataclass(frozen=True)
class Way:
    """How a step is computed: the precision, and what `train.py` can hasten it with."""

    name: str
    precision: str
    channels_last: bool = False
    compile: bool = False


WAYS = (
    Way("fp32", "fp32"),
    Way("TF32", "tf32"),
    Way("bf16", "bf16"),
    Way("bf16, channels_last", "bf16", channels_last=True),
    Way("bf16, compile", "bf16", compile=True),
)


def plan(bench: Bench) -> Iterator[Measurement]:
    """Every network in every way; compiled ones last, as they take a minute or more each."""
    for training in TRAININGS:
        for way in WAYS:
            yield Measurement(
                "steps",
                {"network": training.name, "precision": way.name},
                measuring(training, way, bench),
                seconds=100.0 if way.compile else 6.0,
                last=way.compile,
            )


def measuring(training: Training, way: Way, bench: Bench) -> Callable[[], Row]:
    """What measures a network in one way: clips a second, milliseconds a step, GB at most."""

    def measure() -> Row:
        if way.precision != "fp32" and not bench.cuda:
            raise SkippedError("a CPU trains in float32 alone (docs/deviations.md)")
        bench.forget_peak()
        with trained(training, way, bench) as (trainee, cfg):
            batch = random_batch(training, cfg, bench)
            seconds = bench.median(lambda: trainee.step(batch))
            size = len(batch["label"])
        row: Row = {"batch": size, "clips_per_second": size / seconds}
        return row | {"ms_per_step": 1000 * seconds} | bench.peak()

    return measure


@dataclass
class Trainee:
    """A network and its optimizer, as `train.py` has them.

    Args:
        task: the Lightning module, without a trainer.
        optimizer: of its training rule.
        way: how a step is computed.
        bench: where.
    """

    task: Any
    optimizer: torch.optim.Optimizer
    way: Way
    bench: Bench

    def forward(self, batch: Batch) -> Tensor:
        """The loss of a batch, scalar."""
        with self.bench.autocast(self.way.precision):
            loss: Tensor = self.task.training_step(batch, 0)
        return loss

    def update(self, loss: Tensor) -> None:
        """Go back through the network, and take the optimizer's step."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def step(self, batch: Batch) -> None:
        """Train on one batch."""
        self.update(self.forward(batch))


def configured(training: Training, bench: Bench) -> DictConfig:
    """The configuration of a run with `fusion=msaf`: at the paper's size, or the sample's."""
    data = ["data=sample", "batch_size=4"] if bench.tiny else ["data=full", "data.root=none"]
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(Overrides([*training.overrides, "fusion=msaf", *data]))


@contextmanager
def trained(training: Training, way: Way, bench: Bench) -> Iterator[tuple[Trainee, DictConfig]]:
    """Build a network that trains, with the backend set as it trains; afterwards set it back."""
    cfg = configured(training, bench)
    with float32_products(way.precision), deterministic(cfg.trainer.deterministic):
        torch.manual_seed(0)
        rule = build(cfg.training)
        task = build(cfg.task.module)(build(cfg.network), training=rule, splits=[])
        task.to(bench.device).train()
        hasten(task.network, channels_last=way.channels_last, compile=way.compile)
        try:
            yield Trainee(task, task.configure_optimizers()["optimizer"], way, bench), cfg
        finally:
            if way.compile:
                torch._dynamo.reset()


def random_batch(training: Training, cfg: DictConfig, bench: Bench) -> Batch:
    """Random tensors in the shapes of a batch: every modality (B, ...), `label`, `id`, lengths."""
    size = int(cfg.batch_size)
    batch: Batch = {}
    for name in cfg.modalities:
        small = training.tiny.get(name) if bench.tiny else None
        shape = tuple(small or cfg.task.shapes[name])
        batch[name] = bench.random(size, *shape)
        if cfg.task.get("lengths"):
            batch[f"{name}_length"] = torch.full((size,), shape[-1], device=bench.device)
    rows = torch.arange(size, device=bench.device)
    outputs = int(cfg.task.outputs)
    batch["label"] = rows % outputs if outputs > 1 else bench.random(size)
    return batch | {"id": rows}
