"""Progress of a run, with the time left; plain lines where there is no terminal."""

from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from experiments.contracts import task_of
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
        cut = Column(no_wrap=True, overflow="ellipsis")  # a bar of two lines would move the others
        self.bar = Progress(
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("epochs, left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False, table_column=cut),
            console=console,
        )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        done = trainer.current_epoch
        self.task = self.bar.add_task("", total=trainer.max_epochs, completed=done, figures="")
        if done:
            self.console.print(f"{self.name}: goes on after epoch {done}")
        if self.console.is_terminal:
            self.console.print(self.name)
            self.bar.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *args: Any
    ) -> None:
        self.bar.advance(self.task, 1 / trainer.num_training_batches)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        task = task_of(pl_module)
        done, total = trainer.current_epoch + 1, trainer.max_epochs or 1
        loss = next(iter(task.train_metrics.items()))
        metric = next(iter(task.evaluations["test"].metrics.items()))
        figures = f"train {loss[0]} {loss[1]:.3f}  test {metric[0]} {number(*metric)}"
        self.bar.update(self.task, completed=done, figures=figures)
        tenth = max(1, total // 10)
        if not self.console.is_terminal and (done % tenth == 0 or done == total):
            self.console.print(f"{self.name}: epoch {done}/{total}  {figures}")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        # Lightning calls no teardown then, and the terminal would be left without its cursor.
        self.teardown(trainer, pl_module, "fit")
