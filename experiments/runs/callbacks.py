"""Lightning callbacks that make a run repeatable and resumable, and write its log."""

import csv
import io
import signal
import time
from typing import Any

import pytorch_lightning as pl
import torch

from experiments.contracts import task_of
from experiments.files import write_text
from experiments.runs.folder import RunFolder
from experiments.runs.ranks import leads
from experiments.runs.sources import sources_hash


class KeepSigterm(pl.Callback):
    """Leave SIGTERM to whoever handled it before Lightning, which ends a run with exit status 0.

    Lightning's own handler also tells the other processes by a broadcast, and they may be in the
    middle of a backward pass: both sides then wait for minutes.
    """

    def __init__(self) -> None:
        self.handler = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if callable(self.handler):
            signal.signal(signal.SIGTERM, self.handler)


class SeedEpochs(pl.Callback):
    """Seed dropout and all other random draws from (seed, epoch), just before the first batch.

    Lightning restores no random state on resume; with this none needs restoring. Not earlier: a
    resumed run makes its data iterators at another moment, and each draws a number.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == 0:
            # Processes that train together drop different units.
            process = 7_919_000_003 * trainer.global_rank
            torch.manual_seed(self.seed * 1_000_003 + trainer.current_epoch + process)


class EpochLog(pl.Callback):
    """Write `log.csv`, a row an epoch; its rows travel in the checkpoint, so a resumed log fits.

    So do the hashes of the sources that trained the epochs: a run that goes on after an edit is of
    several.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.file = folder.path / "log.csv"
        self.sources = [sources_hash()]
        self.rows: list[dict[str, float]] = []
        self.started = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        task = task_of(pl_module)
        row = {"epoch": float(trainer.current_epoch)}
        row |= {f"train/{name}": value for name, value in task.train_metrics.items()}
        for split, evaluation in task.evaluations.items():
            row |= {f"{split}/{name}": value for name, value in evaluation.metrics.items()}
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.current_epoch)
        self.rows.append(row | {"seconds": round(time.perf_counter() - self.started, 3)})
        if not leads():
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(self.rows[0]))
        writer.writeheader()
        writer.writerows({**line, "epoch": int(line["epoch"])} for line in self.rows)
        write_text(self.file, text.getvalue())

    @property
    def seconds(self) -> float:
        """Return the seconds of all epochs so far, also of those before a resume."""
        return sum(row["seconds"] for row in self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "sources": self.sources}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]
        self.sources = sorted({*state_dict["sources"], *self.sources})
