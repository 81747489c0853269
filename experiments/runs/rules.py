"""Reporting rules: which epoch a figure comes from, and which figure stands first."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.runs.folder import RunError


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


def headline(rules: Collection[str]) -> str:
    """Return the rule whose figure stands first: one without a look at the test split."""
    return "val_selected" if "val_selected" in rules else "last_epoch"
