"""ImageNet weights through torchvision, on request alone."""

import pickle
from collections.abc import Mapping
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from experiments.fetching.errors import FetchError, full_disk
from experiments.runs.compose import build


def fetch_weights(
    network: str, known: Mapping[str, DictConfig], folder: Path | None, console: Console
) -> int:
    """Fetch the weights that a network starts from, and say how they are named to a run.

    Args:
        network: one of ours.
        known: network -> the configured call that gives torchvision's weights.
        folder: where the file goes; torch's own cache if not given.
        console: told where the file lies.

    Raises:
        FetchError: torchvision has none for it, or they cannot be fetched.
    """
    if network not in known:
        raise FetchError(
            f"weights={network}: expected {' or '.join(map(str, known)) or 'none for this task'}; "
            "docs/action_recognition.md says which files a network of another name starts from"
        )
    # Imported here because torch takes seconds.
    from torch import hub

    weights = build(known[network])
    target = folder or Path(hub.get_dir()) / "checkpoints"
    file = target / weights.url.rpartition("/")[2]
    console.print(f"{weights} of torchvision, from {weights.url}", markup=False)
    try:
        with full_disk(target):
            weights.get_state_dict(
                model_dir=str(target), progress=True, check_hash=True, weights_only=True
            )
    except FetchError:
        raise
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise FetchError(
            f"{weights.url}: expected the weights {weights}, found {error}; try again later, or "
            f"put the file there by hand: {file}"
        ) from error
    console.print(
        f"{file}; next: python train.py task=ntu fusion=msaf pretrained.{network}={file}",
        markup=False,
    )
    return 0
