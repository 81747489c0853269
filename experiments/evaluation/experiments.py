"""Finished runs sorted into experiments, whose runs differ in fold and seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.places import incomplete_runs, run_folders
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
        The experiments by label, and why runs were left out: not complete, unreadable, or there
        twice for one fold and seed.

    Raises:
        RunError: if there is no complete run, or none that counts.
    """
    left_out = [f"{path}: not complete" for path in incomplete_runs(places)]
    groups: dict[tuple[str, str], dict[tuple[str, int], list[FinishedRun]]] = {}
    for folder in run_folders(places):
        try:
            run = FinishedRun(folder, folder.metrics())
        except RunError as error:
            left_out.append(str(error))
            continue
        kind = str(run.metrics["task"]), str(run.metrics["hash"])
        place = str(run.key[0]), int(run.key[1])
        groups.setdefault(kind, {}).setdefault(place, []).append(run)
    alone: list[tuple[FinishedRun, ...]] = []
    for group in groups.values():
        for (fold, seed), same in group.items():
            if len(same) > 1:
                listed = " and ".join(str(run.folder.path) for run in same)
                left_out.append(
                    f"fold {fold} seed {seed} of one experiment is there twice: {listed}"
                )
        runs = tuple(same[0] for _, same in sorted(group.items()) if len(same) == 1)
        alone += [runs] if runs else []
    if not alone:
        raise RunError("; ".join(left_out))
    labels = _labels([runs[0] for runs in alone])
    found = [Experiment(label, runs) for label, runs in zip(labels, alone, strict=True)]
    return sorted(found, key=lambda experiment: experiment.label), left_out


def _labels(runs: Sequence[FinishedRun]) -> list[str]:
    """Name each experiment by its fusion, and by what its folder's name has alone among these."""
    named = [(str(run.metrics["fusion"]), _settings(run)) for run in runs]
    labels = []
    for fusion, own in named:
        others = [settings for name, settings in named if name == fusion]
        shared = set.intersection(*map(set, others))
        special = [part for part in own if part not in shared]
        labels.append(f"{fusion} ({', '.join(special)})" if special else fusion)
    hashes = [str(run.metrics["hash"]) for run in runs]
    pairs = zip(labels, hashes, strict=True)
    return [name if labels.count(name) == 1 else f"{name} {digest}" for name, digest in pairs]


def _settings(run: FinishedRun) -> list[str]:
    """Return the parts of the name of a run's variant, without its hash."""
    variant = run.folder.path.parent.parent.name
    return variant.removesuffix(f"-{run.metrics['hash']}").split("-")
