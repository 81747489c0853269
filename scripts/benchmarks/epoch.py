"""A training epoch of the text LSTM beside a plain PyTorch loop over the same network."""

import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from experiments.runs.callbacks import SeedEpochs
from experiments.runs.compose import build, check, check_root, compose
from experiments.runs.overrides import Overrides
from scripts.benchmarks.options import refuse
from scripts.benchmarks.registry import EpochOptions
from scripts.benchmarks.timing import milliseconds, ratio

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
OVERRIDES = ("task=mosei", "fusion=none", "modalities=[text]")


def run(options: EpochOptions, overrides: Overrides, console: Console | None = None) -> None:
    """Train both in turn, epoch by epoch, on the same segments, on one thread."""
    refuse(overrides, threads="this benchmark runs on one thread", epochs="expected rounds=")
    torch.set_num_threads(1)
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = compose(Overrides([*OVERRIDES, *overrides]))
    check(cfg)
    check_root(cfg, overrides)
    data = build(cfg.datamodule)
    data.prepare_data()
    data.setup("fit")
    task = build(cfg.task.module)(
        build(cfg.network), training=build(cfg.training), splits=data.evaluation_names
    )
    plain = PlainLoop(data, cfg.task.branches.text.hidden, options.batches)
    _check_same(task, plain)
    turns = InTurn(plain)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build(
            cfg.trainer,
            callbacks=[SeedEpochs(cfg.seed), turns],
            logger=False,
            enable_checkpointing=False,
            max_epochs=1 + options.rounds,  # the first warms up
            limit_train_batches=options.batches,
            limit_val_batches=0,
            default_root_dir=folder,
        )
        trainer.fit(task, datamodule=data.lightning())
    _show(turns, plain, console or Console())


class PlainLoop:
    """What one would write without this project: two LSTMs, dropout, a linear layer, Adam, MSE.

    The features lie in memory and are indexed directly, which is faster than a `DataLoader`.

    Args:
        data: the datamodule whose training segments are taken.
        hidden: H of both layers.
        batches: of an epoch.
    """

    def __init__(self, data: Any, hidden: int, batches: int) -> None:
        loader = data.train_dataloader()
        rows = data.rows["train"]
        everything = loader.dataset.__getitems__([(row, 0) for row in rows])
        self.text: Tensor = everything["text"].float()  # (N, T, C)
        self.labels: Tensor = everything["label"]  # (N,)
        self.first = nn.LSTM(self.text.shape[2], hidden, batch_first=True)
        self.second = nn.LSTM(hidden, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 1))
        parts = nn.ModuleList([self.first, self.second, self.head])
        self.parameters = sum(p.numel() for p in parts.parameters())
        self.optimizer = torch.optim.Adam(parts.parameters(), lr=1e-3)
        self.batch_size: int = data.batch_size
        self.batches = min(batches, len(loader))

    def epoch(self) -> None:
        """Train on as many batches as the other side does."""
        shuffled = torch.randperm(len(self.labels)).split(self.batch_size)
        for rows in shuffled[: self.batches]:
            states, _ = self.second(self.first(self.text[rows])[0])  # (B, T, H)
            predicted = self.head(states[:, -1]).squeeze(1)  # (B,)
            loss = F.mse_loss(predicted, self.labels[rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


class InTurn(pl.Callback):
    """After each epoch of the trainer one of the plain loop; keep the seconds of both.

    Seconds of the processor, which both use on one thread: other processes do not count.
    """

    def __init__(self, plain: PlainLoop) -> None:
        self.plain = plain
        self.seconds: dict[str, list[float]] = {"train.py": [], "plain loop": []}
        self._started = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._started = time.process_time()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        ours = time.process_time() - self._started
        start = time.process_time()
        self.plain.epoch()
        if trainer.current_epoch:
            self.seconds["train.py"].append(ours)
            self.seconds["plain loop"].append(time.process_time() - start)


def _check_same(task: nn.Module, plain: PlainLoop) -> None:
    parameters = sum(p.numel() for p in task.parameters())
    if parameters != plain.parameters:
        raise ValueError(
            f"expected the same network on both sides, found {parameters} parameters and "
            f"{plain.parameters}: only the text LSTM with its defaults can be compared"
        )


def _show(turns: InTurn, plain: PlainLoop, console: Console) -> None:
    steps, width = plain.text.shape[1:]
    title = (
        f"{date.today()}, {plain.batches} batches of {plain.batch_size} x {steps} steps x {width}, "
        f"{plain.parameters:,} parameters, one thread"
    )
    table = Table("way", title=title, title_justify="left")
    for heading in ("ms a batch", "times the plain loop"):
        table.add_column(heading, justify="right")
    for name, seconds in turns.seconds.items():
        times = ratio(seconds, turns.seconds["plain loop"])
        table.add_row(name, f"{milliseconds(seconds) / plain.batches:.2f}", f"{times:.2f}")
    console.print(table)
