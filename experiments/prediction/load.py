"""A run opened from Python: its network, its preprocessing, its classes; the data may be gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from experiments.contracts import Batch, OwnFiles, OwnSample, ReadsOwnFiles
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.places import run_folders
from experiments.evaluation.reopen import Reopened, reopen_without_data
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class LoadedRun:
    """A finished run without its data set.

    Args:
        reopened: network, configuration and datamodule.
        rule: the reporting rule whose weights the network has.
    """

    reopened: Reopened
    rule: str

    @property
    def network(self) -> nn.Module:
        """Return the network in evaluation mode; it maps a batch to a prediction with `scores`."""
        return self.reopened.network

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the names of the network's inputs in a batch, in their order."""
        return tuple(str(name) for name in self.reopened.cfg.modalities)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Return the names of the classes, in the order of the scores; `None` for a regression.

        Classes that are not the data set's, as those of a converted run may be, have numbers.
        """
        found = self.reopened.run.metrics.get("classes") or self.reopened.data.classes
        outputs = self.reopened.cfg.task.outputs
        if found is not None and len(found) != outputs:
            found = [str(number) for number in range(outputs)]
        return None if found is None else tuple(found)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the network's input shape of each modality, without the batch.

        Runs that do not record it are taken to be of the paper's size.
        """
        found = self.reopened.run.metrics.get("shapes") or self.reopened.cfg.task.shapes
        return {name: tuple(found[name]) for name in self.modalities}

    def preprocess(self, batch: Batch) -> Batch:
        """Turn a batch as it is packed, with bytes for frames, into what the network takes.

        Args:
            batch: of the run's modalities, each `(B, ...)` as `prepare` packs it.
        """
        return self.reopened.ready(batch)

    def own_files(self, *, without: Sequence[str] = (), **options: Any) -> OwnFiles:
        """Return what turns files of one's own into samples, as the run's data were prepared.

        Args:
            without: modalities that are left out.
            options: of the task, such as `face`.

        Raises:
            RunError: if the task has none, or an option is none of the task's.
        """
        data = self.reopened.data
        if not isinstance(data, ReadsOwnFiles):
            raise RunError(
                f"{self.reopened.run.folder.path}: {type(data).__name__} reads packed sets alone: "
                "give it own_files (experiments/contracts.py), or pack the clip and evaluate"
            )
        try:
            return data.own_files(
                self._preparation(), shapes=self.shapes, without=without, options=options
            )
        except ValueError as error:
            raise RunError(str(error)) from error

    def read(self, *files: str | Path, **options: Any) -> OwnSample:
        """Read the files of one clip of one's own, such as a video; what is missing is zero.

        Args:
            files: of the clip.
            options: as `own_files` takes them.

        Raises:
            ValueError: a file is not usable, or they are of several clips.
        """
        own = self.own_files(**options)
        groups = own.groups([Path(file) for file in files])
        if len(groups) != 1:
            names = ", ".join(group.name for group in groups) or "none"
            raise RunError(f"expected the files of one clip, found {names}; read one at a time")
        return own.read(groups[0])

    @property
    def label(self) -> str:
        """Return a name for files that are made of the run, under this rule."""
        m = self.reopened.run.metrics
        return f"{m['task']}-{m['fusion']}-{m['hash']}-fold{m['fold']}-seed{m['seed']}-{self.rule}"

    @property
    def assumes(self) -> str:
        """Say what is not known of how the run's data were prepared; empty where all is known."""
        if self._preparation() is not None or self.reopened.cfg.datamodule.get("sample"):
            return ""
        return (
            "the run does not record how its data were prepared: taken are the settings in its "
            "config.yaml, and prepare's defaults for all others"
        )

    def _preparation(self) -> Mapping[str, Any] | None:
        """Return how the data were prepared: as recorded, or as the same packed set says it."""
        metrics, data = self.reopened.run.metrics, self.reopened.data
        if metrics.get("preparation"):
            return dict(metrics["preparation"])
        try:
            return data.preparation if data.manifest_hash == metrics["manifest"] else None
        except (ValueError, OSError):  # it is gone
            return None


def load_run(folder: str | Path, *, rule: str | None = None, trust: bool = False) -> LoadedRun:
    """Open a finished run, wherever it was made; its data set need not be there.

    No file of the folder runs code. The number of threads and the precision become the run's, for
    this whole process.

    Args:
        folder: of one run, with `config.yaml`, `metrics.json` and `checkpoints/`; or a folder above
            it, or a pattern, as long as there is one run.
        rule: the reporting rule whose weights are loaded; the run's headline if not given.
        trust: build whatever classes `config.yaml` names, rather than known ones alone.

    Raises:
        RunError: if there is no run or several, the rule is unknown or has no weights, or the
            configuration or the weights are not of this version.
    """
    found = run_folders(str(folder))
    if len(found) > 1:
        raise RunError(
            f"run={folder}: expected one run, found {len(found)}; name one of them, such as "
            f"{found[0].path}"
        )
    run = FinishedRun(found[0], found[0].metrics())
    rule = choose_rule(run, rule)
    return LoadedRun(reopen_without_data(run, rule, trust=trust), rule)


def choose_rule(run: FinishedRun, rule: str | None) -> str:
    """Return the reporting rule whose weights are loaded, by default the headline.

    Raises:
        RunError: if the run has no weights of that rule.
    """
    reported = run.metrics["reported"]
    with_weights: Sequence[str] = [
        name for name, entry in reported.items() if not isinstance(entry["epoch"], dict)
    ]
    chosen = rule or str(run.metrics["headline"])
    if chosen not in with_weights:
        raise RunError(
            f"rule={chosen}: {run.folder.path} has weights of {', '.join(with_weights)}; choose "
            "one of them"
        )
    return chosen
