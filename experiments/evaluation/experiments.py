"""Finished runs sorted into experiments, whose runs differ in fold and seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.places import incomplete_runs, run_folders
from experiments.evaluation.sift import HALF_WRITTEN, sifted
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class Experiment:
    """Runs that differ in fold and seed alone.

    Args:
        label: the fusion, and what tells this experiment from others of the same fusion.
        runs: complete, by fold and seed; each fold and seed is there once.
    """

    label: str
    runs: tuple[FinishedRun, ...]

    @property
    def fusion(self) -> str:
        """Return the fusion's name."""
        return str(self.runs[0].metrics["fusion"])

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the modalities in the network's order."""
        return tuple(self.runs[0].metrics["modalities"])


def find_experiments(places: str | Sequence[str]) -> tuple[list[Experiment], list[str]]:
    """Sort the complete runs in some places, or anywhere below, into experiments.

    Args:
        places: folders or patterns, as `run_folders` takes them.

    Returns:
        The experiments by label, and why runs were left out, as `sift` says.

    Raises:
        RunError: if there is no complete run, or none that counts.
    """
    left_out = dict.fromkeys(incomplete_runs(places), HALF_WRITTEN)
    groups, contradictory = sifted(folder.path for folder in run_folders(places))
    told = [
        why if str(path) in why else f"{path}: {why}"
        for path, why in (left_out | contradictory).items()
    ]
    if not groups:
        raise RunError("; ".join(told))
    labels = _labels([runs[0] for runs in groups])
    found = [Experiment(label, tuple(runs)) for label, runs in zip(labels, groups, strict=True)]
    return sorted(found, key=lambda experiment: experiment.label), told


def _labels(runs: Sequence[FinishedRun]) -> list[str]:
    """Name each experiment by its fusion, and by what its folder's name has alone among these."""
    named = [(_fusion(run), _settings(run)) for run in runs]
    labels = []
    for fusion, own in named:
        others = [settings for name, settings in named if name == fusion]
        shared = set.intersection(*map(set, others))
        special = [part for part in own if part not in shared]
        labels.append(f"{fusion} ({', '.join(special)})" if special else fusion)
    for more in (lambda run: run.own_fold, lambda run: run.metrics["hash"]):
        labels = [
            f"{label} {more(run)}".strip() if labels.count(label) > 1 else label
            for label, run in zip(labels, runs, strict=True)
        ]
    return labels


def _fusion(run: FinishedRun) -> str:
    """Return a run's fusion, and whether others trained it."""
    return f"{run.metrics['fusion']}{' converted' if run.metrics.get('converted') else ''}"


def _settings(run: FinishedRun) -> list[str]:
    """Return the parts of the name of a run's variant, without its hash."""
    variant = run.folder.path.parent.parent.name
    return variant.removesuffix(f"-{run.metrics['hash']}").split("-")
