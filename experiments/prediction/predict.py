"""What a run says of a clip of one's own: scores, probabilities, and where MSAF attended.

Legend: K outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.contracts import LosesModalities, OwnSample
from experiments.evaluation.attention import ModuleAttention, forward
from experiments.prediction.load import LoadedRun
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class Answer:
    """A run's prediction for one clip.

    Args:
        name: of the clip.
        run: that predicts.
        sample: that it is given.
        scores: `(K,)`.
        modules: the attention of its MSAF modules, from early to late.
    """

    name: str
    run: LoadedRun
    sample: OwnSample
    scores: np.ndarray
    modules: tuple[ModuleAttention, ...]

    @property
    def probabilities(self) -> dict[str, float] | None:
        """Return each class's probability, the softmax of the scores; `None` for a regression."""
        names = self.run.classes
        if names is None:
            return None
        shifted = np.exp(self.scores.astype(np.float64) - self.scores.max())
        return dict(zip(names, (shifted / shifted.sum()).tolist(), strict=True))

    @property
    def says(self) -> str:
        """Return the most probable class, or the value of a regression."""
        found = self.probabilities
        return f"{self.scores[0]:+.2f}" if found is None else max(found, key=lambda k: found[k])

    @property
    def attention(self) -> list[dict[str, Any]]:
        """Return each module's name, what it gave to each modality, and what is uniform."""
        return [
            {
                "module": module.name,
                "shares": _named(module.modalities, module.shares[0].mean(0)),
                "uniform": _named(module.modalities, module.uniform),
            }
            for module in self.modules
        ]

    @property
    def notes(self) -> list[str]:
        """Return what has to be known about this prediction."""
        return [*([self.run.assumes] if self.run.assumes else []), *self.sample.notes]

    def as_json(self) -> dict[str, Any]:
        """Return all that is known, for a file."""
        run = self.run.reopened.run
        m = run.metrics
        described = {
            key: m[key]
            for key in ("task", "fusion", "modalities", "hash", "fold", "seed", "provenance")
        }
        return {
            "clip": self.name,
            "run": {"folder": str(run.folder.path), **described, "rule": self.run.rule},
            "prediction": self.says if self.probabilities else float(self.scores[0]),
            "probabilities": self.probabilities,
            "scores": self.scores.tolist(),
            "attention": self.attention,
            "made_of": dict(self.sample.sources),
            "missing": dict(self.sample.missing),
            "notes": self.notes,
        }


def predict(run: LoadedRun, sample: OwnSample, name: str = "") -> Answer:
    """Let a run predict a sample; what is missing is absent, as `scripts/robustness.py` has it.

    Raises:
        RunError: if something is missing that the network needs.
    """
    network = run.network
    absent = frozenset(sample.missing)
    if absent and not isinstance(network, LosesModalities):
        raise RunError(
            f"{name}: expected {', '.join(run.modalities)}, for "
            f"fusion={run.reopened.run.metrics['fusion']} is a network that needs all of them, "
            f"found none of {', '.join(sorted(absent))} "
            f"({'; '.join(sample.missing.values())})"
        )
    if isinstance(network, LosesModalities):
        network.absent = absent
    try:
        every, modules = forward(run.reopened, [run.preprocess(sample.batch)])
    finally:
        if isinstance(network, LosesModalities):
            network.absent = frozenset()
    return Answer(name, run, sample, every["scores"][0], modules)


def predict_files(run: LoadedRun, *files: str | Path, **options: Any) -> Answer:
    """Let a run predict the clip that some files are of; see `LoadedRun.read`."""
    return predict(run, run.read(*files, **options), Path(files[0]).name if files else "")


def _named(names: Sequence[str], values: np.ndarray) -> Mapping[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
