"""What all runs together say: figures under each condition, and how attention answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.evaluation.experiments import Experiment
from experiments.evaluation.statistics import Estimate, RunKey, estimate, paired_difference
from experiments.robustness.conditions import CLEAN, Condition
from experiments.robustness.measure import Outcomes

Values = Mapping[RunKey, float]


@dataclass(frozen=True)
class Measured:
    """An experiment and what its runs gave.

    Args:
        experiment: its runs.
        conditions: those that were looked at, `CLEAN` first.
        outcomes: of each run that could be measured, by fold and seed.
    """

    experiment: Experiment
    conditions: tuple[Condition, ...]
    outcomes: Mapping[RunKey, Outcomes]

    @property
    def label(self) -> str:
        """Return the experiment's."""
        return self.experiment.label

    @property
    def metrics(self) -> list[str]:
        """Return the names of the task's metrics, the main one first."""
        run = self.experiment.runs[0]
        return list(run.metrics["reported"][run.metrics["headline"]]["test"])

    def values(self, condition: Condition, metric: str) -> dict[RunKey, float]:
        """Return each run's figure; nothing where its network cannot be run like that."""
        found = {key: outcomes[condition.key] for key, outcomes in self.outcomes.items()}
        return {key: outcome.metrics[metric] for key, outcome in found.items() if outcome}

    def shares(self, condition: Condition, module: str, modality: str) -> dict[RunKey, float]:
        """Return the share of the attention that a module gives to a modality, in each run."""
        found = {}
        for key, outcomes in self.outcomes.items():
            outcome = outcomes[condition.key]
            for share in outcome.shares if outcome else ():
                if share.module == module and modality in share.modalities:
                    found[key] = share.shares[share.modalities.index(modality)]
        return found

    @property
    def modules(self) -> dict[str, dict[str, float]]:
        """Return for each MSAF module the shares that a uniform gate would give."""
        clean = next(iter(self.outcomes.values()))[CLEAN.key]
        return {
            share.module: dict(zip(share.modalities, share.uniform, strict=True))
            for share in (clean.shares if clean else ())
        }


def figures(every: Sequence[Measured], reference: str | None) -> Iterator[dict[str, Any]]:
    """Yield a row for each experiment, condition and metric.

    `change` is the difference to the same runs on data as they are, `against` that to the runs of
    the reference under the same condition; both are paired by fold and seed.

    Args:
        every: the experiments.
        reference: the label of one of them, or none.
    """
    compared = next((m for m in every if m.label == reference), None)
    for measured in every:
        for condition in measured.conditions:
            for metric in measured.metrics:
                values = measured.values(condition, metric)
                if not values:
                    continue
                others: Values = {}
                if compared is not None and compared is not measured:
                    others = _values(compared, condition, metric)
                yield {
                    "experiment": measured.label,
                    **_described(condition),
                    "metric": metric,
                    **_estimate("", estimate(values)),
                    **_estimate("change_", _paired(values, measured.values(CLEAN, metric))),
                    **_estimate("against_", _paired(values, others)),
                }


def attention(every: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """Yield a row for each MSAF experiment, module, condition and modality.

    `change` is the difference to the same runs on data as they are, paired by fold and seed.
    """
    for measured in every:
        for module, uniform in measured.modules.items():
            for condition in measured.conditions:
                for modality, share in uniform.items():
                    values = measured.shares(condition, module, modality)
                    if values:
                        clean = measured.shares(CLEAN, module, modality)
                        yield {
                            "experiment": measured.label,
                            "module": module,
                            "share_of": modality,
                            "uniform": share,
                            **_described(condition),
                            **_estimate("", estimate(values)),
                            **_estimate("change_", _paired(values, clean)),
                        }


def _values(measured: Measured, condition: Condition, metric: str) -> Values:
    known = {c.key for c in measured.conditions}
    return measured.values(condition, metric) if condition.key in known else {}


def _paired(values: Values, others: Values) -> Estimate | None:
    shared = values.keys() & others.keys()
    if not shared:
        return None
    return paired_difference(
        {key: values[key] for key in shared}, {key: others[key] for key in shared}
    )


def _described(condition: Condition) -> dict[str, Any]:
    return {
        "modality": condition.modality,
        "corruption": condition.corruption,
        "strength": condition.strength,
        "unit": condition.unit,
    }


def _estimate(prefix: str, found: Estimate | None) -> dict[str, Any]:
    """Return the columns of an estimate, empty where there is none."""
    if found is None:
        return {f"{prefix}mean": None, f"{prefix}error": None, f"{prefix}runs": None}
    error = found.error if found.units > 1 else None
    more = {} if prefix else {"over": found.covers()}
    return {
        f"{prefix}mean": found.mean,
        f"{prefix}error": error,
        f"{prefix}runs": found.runs,
        **more,
    }
