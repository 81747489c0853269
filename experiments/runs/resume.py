"""Where an interrupted run goes on: at its last epoch, at the one before, or at its beginning."""

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from experiments.files import replacing
from experiments.runs.folder import RunFolder
from experiments.runs.ranks import leads
from experiments.runs.weights import UNREADABLE, damage


class SaveResume(Checkpoint):
    """Save all that a resume needs at the end of every epoch, atomically: a kill loses one epoch.

    The epoch before stays beside it, for the case that the last one is damaged. As a `Checkpoint`
    it runs after the other callbacks and the module have ended the epoch.

    Args:
        folder: of the run.
        mark: tells this run from every other; it travels in the checkpoint.
    """

    def __init__(self, folder: RunFolder, mark: str) -> None:
        self.folder = folder
        self.mark = mark

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        last, before = self.folder.resume_checkpoints
        if not leads():
            trainer.save_checkpoint(last)  # takes part, writes nothing
            return
        with replacing(last) as beside:
            trainer.save_checkpoint(beside)
            if last.exists():
                last.replace(before)

    def state_dict(self) -> dict[str, Any]:
        return {"mark": self.mark}


def find_resume(folder: RunFolder, mark: str, say: Callable[[str], object]) -> Path | None:
    """Return the checkpoint that a run goes on from; `None` for its beginning.

    Args:
        folder: of the run.
        mark: of the run.
        say: told of each checkpoint that is there and cannot be used, and what happens instead.
    """
    there = [file for file in folder.resume_checkpoints if file.exists()]
    for number, file in enumerate(there):
        fault = _fault(folder, file, mark)
        if not fault:
            return file
        goes_on = f"tries {there[number + 1].name}" if there[number + 1 :] else "starts anew"
        say(f"{file}: expected the run's last epoch, found {fault}; the run {goes_on}")
    return None


def _fault(folder: RunFolder, file: Path, mark: str) -> str:
    """Say why a run cannot go on from a file; nothing if it can."""
    if found := damage(file):
        return found
    try:  # the tensors stay on disk
        saved = torch.load(file, map_location="cpu", weights_only=True, mmap=True)["callbacks"]
    except (UnpicklingError, *UNREADABLE) as error:
        return f"no checkpoint ({type(error).__name__})"
    if saved.get("SaveResume") != {"mark": mark}:
        return "that of another run"
    # Weights of an epoch that a rule chose are saved beside it; no later epoch makes them again.
    for rule in (name for name, choice in saved["Report"]["chosen"].items() if choice.get("saved")):
        if found := damage(weights := folder.weights(rule)):
            return f"{found} in {weights.name}, which it needs"
    return ""
