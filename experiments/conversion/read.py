"""Reading a foreign checkpoint without running any code that it may carry."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.runs.folder import RunError
from experiments.runs.published import fingerprint
from experiments.runs.weights import UNREADABLE, refuse_damage

# Plain numbers as NumPy pickles them: the MOSEI files hold figures beside the weights.
_MAKE_SCALAR: Any = np.float64(0).__reduce__()[0]
NUMBERS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    *((_MAKE_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8")),
]
INSIDE = "model_state_dict"  # where a file holds more than weights
PARALLEL = "module."  # what DataParallel puts before every name


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file by their names.

    Args:
        file: where they come from.
        tensors: on the CPU.
        epoch: that the file names, counted from 1; None where it names none.
    """

    file: Path
    tensors: Mapping[str, Tensor]
    epoch: int | None = None

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor.

        Raises:
            RunError: if there is none of that name.
        """
        if name not in self.tensors:
            raise RunError(f"{self.file}: expected a tensor {name}, found none of that name")
        return self.tensors[name]

    def below(self, place: str) -> list[str]:
        """Return what follows a place in the names that begin with it."""
        return [key.removeprefix(place) for key in self.tensors if key.startswith(place)]

    @property
    def sha256(self) -> str:
        """Return the hash of the whole file."""
        return fingerprint(self.file)


def read_checkpoint(file: Path) -> Checkpoint:
    """Read a file of weights: a state dict, or one under `model_state_dict`.

    Raises:
        RunError: if it is no file, cut off, or holds or would run anything else.
    """
    refuse_damage(file, "give the file that the authors released")
    try:
        with torch.serialization.safe_globals(NUMBERS):
            content: Any = torch.load(file, map_location="cpu", weights_only=True)
    except (UnpicklingError, *UNREADABLE) as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked and isinstance(error, UnpicklingError):
            raise RunError(
                f"{file}: expected named tensors alone, found a pickle that calls {asked[1]}, and "
                "could run any program: nothing of it was run; take the file that the authors "
                "released"
            ) from None
        raise RunError(
            f"{file}: expected named tensors as torch.save writes them, found a file that is cut "
            f"off or of another kind ({type(error).__name__}): download it again"
        ) from None
    wrapped = isinstance(content, dict) and INSIDE in content
    tensors = content[INSIDE] if wrapped else content
    if not isinstance(tensors, dict) or not tensors:
        raise RunError(f"{file}: expected named tensors, found {type(tensors).__name__}")
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise RunError(
                f"{file}: expected named tensors alone, or under {INSIDE}; found "
                f"{type(value).__name__} under {name!r}"
            )
    if all(name.startswith(PARALLEL) for name in tensors):
        tensors = {name.removeprefix(PARALLEL): value for name, value in tensors.items()}
    epoch = content.get("epoch") if wrapped else None
    return Checkpoint(file, tensors, epoch if isinstance(epoch, int) else None)
