"""Reporting rules: which epoch a figure comes from, its predictions and its weights."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from experiments.contracts import TaskModule, task_of
from experiments.files import write_with
from experiments.runs.callbacks import leads
from experiments.runs.folder import RunError, RunFolder


@dataclass(frozen=True)
class ReportingRule:
    """Which epoch a reported figure comes from.

    `split=None` takes the last epoch and so selects nothing; otherwise the epoch with the best
    `metric` on that evaluation split, the earliest among equals.

    `each`, a mode for each metric by name, takes every metric from its own best epoch instead, as
    the released code for MOSEI lists them. Such figures belong to no single network: there are
    neither predictions nor weights under the rule.
    """

    split: str | None = None
    metric: str = "accuracy"
    mode: str = "max"
    each: Mapping[str, str] = field(default_factory=dict)

    def better(self, new: Mapping[str, Any], old: Mapping[str, Any] | None) -> bool:
        """Say whether an epoch's metrics by split replace those chosen so far."""
        if self.split is None:
            return True
        if self.metric not in new[self.split]:
            known = ", ".join(new[self.split])
            raise RunError(f"reporting: no such metric {self.metric}: the task has {known}")
        if old is None or math.isnan(old[self.split][self.metric]):
            return True
        sign = 1 if self.mode == "max" else -1
        return sign * new[self.split][self.metric] > sign * old[self.split][self.metric]


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


def headline(rules: Collection[str]) -> str:
    """Return the rule whose figure stands first: one without a look at the test split."""
    return "val_selected" if "val_selected" in rules else "last_epoch"
