"""What reporting rules choose while a run trains: epochs, their predictions and their weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from experiments.contracts import TaskModule, task_of
from experiments.files import write_with
from experiments.runs.folder import RunFolder
from experiments.runs.ranks import leads
from experiments.runs.rules import ReportingRule


class Report(pl.Callback):
    """Keep, for each reporting rule, the epoch that it chooses, its predictions and its weights.

    Args:
        folder: where the weights go, as `checkpoints/<rule>.pt`.
        rules: the rules by name.
    """

    def __init__(self, folder: RunFolder, rules: Mapping[str, ReportingRule]) -> None:
        self.folder = folder
        self.rules = dict(rules)
        self.chosen: dict[str, dict[str, Any]] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        task = task_of(pl_module)
        metrics = {split: e.metrics for split, e in task.evaluations.items()}
        last = trainer.current_epoch + 1 == trainer.max_epochs
        for name, rule in self.rules.items():
            old = self.chosen.get(name)
            if rule.each:
                self._choose_each(name, metrics, epoch=trainer.current_epoch)
            elif rule.better(metrics, old and old["metrics"]):
                save = rule.split is not None or last
                self.choose(name, task, epoch=trainer.current_epoch, save=save)

    def choose(self, rule: str, task: TaskModule, *, epoch: int | None, save: bool = True) -> None:
        """Take the task's latest evaluation as what a rule reports.

        Args:
            rule: the rule's name.
            task: with the evaluations and the network that made them.
            epoch: where it comes from; `None` for a fusion that trains nothing.
            save: write the weights; the last epoch's are not worth writing before it is the last.
        """
        test = task.evaluations["test"]
        self.chosen[rule] = {
            "epoch": epoch,
            "saved": save,
            "metrics": {split: e.metrics for split, e in task.evaluations.items()},
            "test": {"ids": test.ids, "labels": test.labels, "scores": test.scores},
        }
        if save and leads():
            state = task.network.state_dict()
            write_with(self.folder.weights(rule), lambda path: torch.save(state, path))

    def _choose_each(
        self, name: str, metrics: Mapping[str, Mapping[str, float]], *, epoch: int
    ) -> None:
        """Take those metrics of an epoch that are the best so far, each by itself."""
        rule = self.rules[name]
        empty: dict[str, Any] = {"epoch": {}, "metrics": {split: {} for split in metrics}}
        chosen = self.chosen.setdefault(name, empty)
        for metric, mode in rule.each.items():
            old = chosen["metrics"] if metric in chosen["epoch"] else None
            if ReportingRule(rule.split, metric, mode).better(metrics, old):
                chosen["epoch"][metric] = epoch
                for split, values in metrics.items():
                    chosen["metrics"][split][metric] = values[metric]

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return for each rule its epoch, or its epochs by metric, and its metrics by split."""
        return {rule: {"epoch": c["epoch"], **c["metrics"]} for rule, c in self.chosen.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"chosen": self.chosen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.chosen = state_dict["chosen"]


def write_predictions(folder: RunFolder, report: Report, ids: Sequence[str]) -> None:
    """Write `predictions.npz`: `ids`, `labels` and `scores_<rule>` of the test split.

    A rule that takes each metric from another epoch has no scores.

    Args:
        folder: of the run.
        report: what each rule chose.
        ids: the name of each row of the data set.
    """
    tests = {rule: choice["test"] for rule, choice in report.chosen.items() if "test" in choice}
    any_test = next(iter(tests.values()))
    predictions = {
        "ids": np.array([ids[int(row)] for row in any_test["ids"]]),
        "labels": any_test["labels"].numpy(),
        **{f"scores_{rule}": test["scores"].numpy() for rule, test in tests.items()},
    }

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **predictions)

    write_with(folder.path / "predictions.npz", save)
