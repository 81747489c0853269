"""The bar of a run, in a terminal of eighty columns."""

import re
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from experiments.runs import progress
from experiments.runs.progress import ShowProgress


def test_the_bar_stays_on_one_line_and_names_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    said = StringIO()
    console = Console(file=said, width=80, force_terminal=True, color_system=None, markup=False)
    shown = ShowProgress("mine [/x] (video+audio+skeleton) fold 0 seed 1 (sample data)", console)
    trainer: Any = SimpleNamespace(current_epoch=0, max_epochs=250, num_training_batches=3)
    task = SimpleNamespace(
        train_metrics={"correlation": 3.912345},
        evaluations={"test": SimpleNamespace(metrics={"accuracy": 12.3})},
    )
    monkeypatch.setattr(progress, "task_of", lambda module: module)
    shown.on_train_start(trainer, task)  # type: ignore[arg-type]
    trainer.current_epoch = 119
    shown.on_validation_end(trainer, task)  # type: ignore[arg-type]
    shown.bar.refresh()
    shown.teardown(trainer, task, "fit")  # type: ignore[arg-type]
    lines = re.sub(r"\x1b\[[?0-9]*[a-zA-Z]|\r", "\n", said.getvalue()).splitlines()
    bars = [line for line in lines if "120/250 epochs" in line]
    assert bars and all(len(line) <= 80 for line in lines)
    assert all("left" in line and "train correlation" in line for line in bars)
    assert "mine [/x] (video+audio+skeleton) fold 0 seed 1 (sample data)" in lines
