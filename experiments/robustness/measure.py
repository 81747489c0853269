"""One run under every condition: what it predicts, and what its attention does."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.contracts import LosesModalities, TaskModule
from experiments.evaluation.attention import Measured, ModuleAttention, check_scores, measure
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.reopen import Reopened, reopen, running
from experiments.files import write_json
from experiments.robustness.conditions import ABSENT, CLEAN, Condition, Corruptions
from experiments.runs.compose import build
from experiments.runs.folder import RunError
from experiments.runs.sources import sources_hash


@dataclass(frozen=True)
class Share:
    """What an MSAF module gives to each modality.

    Args:
        module: its name.
        modalities: those that meet there.
        shares: of all attention, the mean over samples and segments; they sum to one.
        uniform: the shares of a gate that treats all blocks alike.
    """

    module: str
    modalities: tuple[str, ...]
    shares: tuple[float, ...]
    uniform: tuple[float, ...]

    @classmethod
    def of(cls, module: ModuleAttention) -> "Share":
        """Take them from a module's attention."""
        means = module.shares.mean((0, 1))
        return cls(
            module.name, module.modalities, tuple(means.tolist()), tuple(module.uniform.tolist())
        )


@dataclass(frozen=True)
class Outcome:
    """What a run gives under one condition.

    Args:
        metrics: on the test split.
        shares: of each MSAF module, from early to late.
    """

    metrics: dict[str, float]
    shares: tuple[Share, ...]


Outcomes = dict[str, Outcome | None]
"""By the conditions' keys; `None` where a network cannot be run under the condition."""


@dataclass(frozen=True)
class Measuring:
    """How runs are measured.

    Args:
        rule: the reporting rule whose weights are loaded.
        corruptions: the task's.
        raw: the raw folder, for corruptions of raw files.
        out: the folder where packed copies, and what is measured of each run, are kept.
        trust: build whatever classes a run's configuration names.
    """

    rule: str
    corruptions: Corruptions
    raw: Path | None
    out: Path
    trust: bool = False

    def measure(
        self, run: FinishedRun, conditions: Sequence[Condition], done: Callable[[], object]
    ) -> Outcomes:
        """Measure a run; what was measured before, in the same way, is read back.

        Args:
            run: a complete run.
            conditions: those to look at.
            done: called after each of them.

        Raises:
            RunError: if the run cannot be opened again, or predicts otherwise than it did.
        """
        part = Part.open(self._file(run), self._basis(run))
        found: Reopened | None = None
        for condition in dict.fromkeys((CLEAN, *conditions)):
            if not part.knows(condition, self.corruptions):
                found = found or reopen(run, self.rule, trust=self.trust)
                with running(run):
                    outcome = self._outcome(found, condition)
                part.add(condition, self.corruptions, outcome)
            done()
        return part.outcomes

    def _outcome(self, found: Reopened, condition: Condition) -> Outcome | None:
        if condition.corruption != ABSENT:
            found.data.change_evaluation(self._changes(found, condition))
        elif isinstance(found.network, LosesModalities):
            found.network.absent = frozenset({condition.modality})
        else:
            return None
        try:
            measured = measure(found)
        finally:
            found.data.change_evaluation({})
            if isinstance(found.network, LosesModalities):
                found.network.absent = frozenset()
        if condition == CLEAN:
            check_scores(measured, found.run, self.rule)
        return _judged(found, measured)

    def _changes(self, found: Reopened, condition: Condition) -> Mapping[str, Any]:
        if condition == CLEAN:
            return {}
        return self.corruptions.of(condition).changes(
            found.data,
            condition.modality,
            condition.strength,
            raw=self.raw,
            copies=self.out / "copies",
        )

    def _file(self, run: FinishedRun) -> Path:
        m = run.metrics
        return self.out / "parts" / f"{m['hash']}-fold{m['fold']}-seed{m['seed']}-{self.rule}.json"

    def _basis(self, run: FinishedRun) -> dict[str, str]:
        weights = run.folder.weights(self.rule)
        try:
            digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError:
            raise RunError(
                f"{weights}: expected the weights of {self.rule}, found none: copy the run's "
                "checkpoints, or train it again with rerun=true"
            ) from None
        return {"weights": digest, "data": run.metrics["manifest"], "sources": sources_hash()}


class Part:
    """What was measured of one run, kept in a file after each condition.

    Args:
        file: where it is kept.
        basis: what it stands on.
        entries: by the conditions' keys.
    """

    def __init__(self, file: Path, basis: dict[str, str], entries: dict[str, Any]) -> None:
        self.file, self.basis, self.entries = file, basis, entries

    @classmethod
    def open(cls, file: Path, basis: dict[str, str]) -> "Part":
        """Read what there is; what stands on something else, or is damaged, is measured anew."""
        try:
            stored = json.loads(file.read_text())
            entries = stored["entries"] if stored["basis"] == basis else {}
            for entry in entries.values():
                _outcome_of(entry)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            entries = {}
        return cls(file, basis, entries)

    def knows(self, condition: Condition, corruptions: Corruptions) -> bool:
        """Say whether a condition was measured with the same settings."""
        entry = self.entries.get(condition.key)
        return entry is not None and entry["settings"] == corruptions.settings(condition)

    def add(self, condition: Condition, corruptions: Corruptions, outcome: Outcome | None) -> None:
        """Keep an outcome."""
        self.entries[condition.key] = {
            "settings": corruptions.settings(condition),
            "outcome": None if outcome is None else asdict(outcome),
        }
        write_json(self.file, {"basis": self.basis, "entries": self.entries})

    @property
    def outcomes(self) -> Outcomes:
        """Return all that was measured."""
        return {key: _outcome_of(entry) for key, entry in self.entries.items()}


def _outcome_of(entry: Mapping[str, Any]) -> Outcome | None:
    stored = entry["outcome"]
    if stored is None:
        return None
    return Outcome(stored["metrics"], tuple(_share_of(share) for share in stored["shares"]))


def _share_of(stored: Mapping[str, Any]) -> Share:
    modalities, shares, uniform = (
        tuple(stored[key]) for key in ("modalities", "shares", "uniform")
    )
    return Share(stored["module"], modalities, shares, uniform)


def _judged(found: Reopened, measured: Measured) -> Outcome:
    task: TaskModule = build(found.cfg.task.module)(
        found.network, training=build(found.cfg.training), splits=found.data.evaluation_names
    )
    metrics = task.metrics(torch.from_numpy(measured.scores), torch.from_numpy(measured.labels))
    return Outcome(metrics, tuple(map(Share.of, measured.modules)))
