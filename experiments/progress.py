"""Progress of a run and of a table, with the time left; plain lines where there is no terminal."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from experiments.metric import number


class ShowProgress(pl.Callback):
    """Show epochs and batches done, the time left, and the latest figures.

    Args:
        name: what is being trained, as the user knows it.
        console: where to write; with no terminal behind it, every tenth of the run is one line.
    """

    def __init__(self, name: str, console: Console) -> None:
        self.name = name
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}", table_column=Column()),  # wraps if it must
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", table_column=Column()),
            console=console,
        )

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        done = trainer.current_epoch
        self.task = self.bar.add_task(
            self.name, total=trainer.max_epochs, completed=done, figures=""
        )
        if done:
            self.console.print(f"{self.name}: goes on after epoch {done}")
        if self.console.is_terminal:
            self.bar.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, *args: Any
    ) -> None:
        self.bar.advance(self.task, 1 / trainer.num_training_batches)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        done, total = trainer.current_epoch + 1, trainer.max_epochs or 1
        loss = next(iter(pl_module.train_metrics.items()))
        metric = next(iter(pl_module.evaluations["test"].metrics.items()))
        figures = f"train {loss[0]} {loss[1]:.3f}  test {metric[0]} {number(*metric)}"
        self.bar.update(self.task, completed=done, figures=figures)
        tenth = max(1, total // 10)
        if not self.console.is_terminal and (done % tenth == 0 or done == total):
            self.console.print(f"{self.name}: epoch {done}/{total}  {figures}")

    def teardown(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: Any, exception: BaseException) -> None:
        # Lightning calls no teardown then, and the terminal would be left without its cursor.
        self.teardown(trainer, pl_module, "fit")


@contextmanager
def counting_runs(done: Callable[[], int], total: int, console: Console) -> Iterator[None]:
    """Show how many runs of a table are complete and the time left, whoever completes them.

    Args:
        done: counts the complete runs; it is called every second.
        total: how many there will be.
        console: where to write; with no terminal behind it, a line for each change.
    """
    columns = (BarColumn(bar_width=16), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    bar = Progress(TextColumn("runs"), *columns, console=console, disable=not console.is_terminal)
    before, started, stop = done(), time.perf_counter(), threading.Event()
    task = bar.add_task("runs", total=total, completed=before, left="")

    def watch() -> None:
        last, ended = before, False
        while not ended:
            ended = stop.wait(1.0)
            now = done()
            left = time_left(time.perf_counter() - started, now - before, total - now)
            bar.update(task, completed=now, left=left)
            if now != last and not console.is_terminal:
                console.print(f"{now} of {total} runs complete{left and ', ' + left}")
            last = now

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with bar:
            yield
    finally:
        stop.set()
        watcher.join()


def time_left(seconds: float, done: int, left: int) -> str:
    """Say how long the rest takes at the pace so far; nothing if none is done, or none left."""
    if not done or not left:
        return ""
    return f"about {timedelta(seconds=round(seconds / done * left))} left"
