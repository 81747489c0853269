"""A run's predictions made once more from its weights: are they the ones that were written?"""

import numpy as np

from experiments.console import quieten
from experiments.contracts import TaskModule
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.reopen import Reopened, reopen, running
from experiments.runs.compose import build
from experiments.runs.folder import RunError

TOLERANCE = 1e-3  # of the largest score; another device or number of threads rounds differently


def recompute(run: FinishedRun, rule: str, *, trust: bool = False) -> float:
    """Rebuild the network, load its weights, predict the test split, and compare the scores.

    Args:
        run: a complete run.
        rule: whose weights and scores.
        trust: build whatever classes `config.yaml` names, rather than known ones alone. Weights
            are read without running any code in either case.

    Returns:
        The largest difference between a score and the one in `predictions.npz`.

    Raises:
        RunError: if the configuration names a class that is not known, the data set is gone or
            another one, the weights are not this network's, or the scores differ by more than
            rounding.
    """
    found = reopen(run, rule, trust=trust)
    with running(run):
        task = predict_again(found)
    scores = task.evaluations["test"].scores.numpy()
    stored = run.predictions(rule).scores
    difference = float(np.abs(scores - stored).max()) if scores.shape == stored.shape else np.inf
    if not difference <= TOLERANCE * float(np.abs(stored).max()):
        raise RunError(
            f"{run.folder.path}: the weights of {rule} give scores that differ from those in "
            f"predictions.npz by up to {difference:.3g}: they are not of one run; train it again"
        )
    return difference


def predict_again(found: Reopened) -> TaskModule:
    """Predict the evaluation splits of a run; the module that did has the predictions."""
    task = build(found.cfg.task.module)(
        found.network, training=build(found.cfg.training), splits=found.data.evaluation_names
    )
    quieten()  # after Lightning is imported, which sets its own level
    trainer = build(found.cfg.trainer, callbacks=[], logger=False)
    trainer.validate(task, datamodule=found.data.lightning(), verbose=False)
    return task
