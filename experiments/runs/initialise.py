"""Weights from other runs: loaded strictly, with a report of what was and was not loaded."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from experiments.runs.folder import RunError

# What torch.load raises for files of text, of nothing, and for damaged ones.
UNREADABLE = (RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights without running any code that it may carry.

    Raises:
        RunError: if there is no such file, or it holds anything but named tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError(f"{path}: no such file; train the run that should have written it") from None
    except (UnpicklingError, *UNREADABLE) as error:
        raise RunError(
            f"{path}: expected a file of named tensors alone, as torch.save(network.state_dict(), "
            f"file) writes it, found something else ({type(error).__name__})"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise RunError(
            f"{path}: expected a dictionary of named tensors, found {type(state).__name__}"
        )
    return state


def load_branches(network: nn.Module, sources: Mapping[str, Path]) -> dict[str, list[str]]:
    """Load each branch from the weights of its own unimodal run.

    A head that the network does not have is left out without complaint: the readout reads
    features. Everything else must match.

    Args:
        network: has `branches` by modality.
        sources: for each modality the weights of a network with that one branch.

    Returns:
        `loaded`, `left_out` (in the file, not in the network), `fresh` (the reverse): names.

    Raises:
        RunError: if names or shapes differ; nothing is loaded then.
    """
    report: dict[str, list[str]] = {"loaded": [], "left_out": [], "fresh": []}
    fitting: dict[str, dict[str, Tensor]] = {}
    branches: Any = network.branches
    for name, path in sources.items():
        prefix = f"branches.{name}."
        state = read_weights(path)
        found = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        wanted = branches[name].state_dict()
        fits = {k for k, v in found.items() if k in wanted and v.shape == wanted[k].shape}
        surplus = found.keys() - fits
        if branches[name].head is None:
            surplus = {k for k in surplus if not k.startswith("head.")}
        wrong = sorted(surplus | (wanted.keys() - fits))
        if wrong:
            raise RunError(
                f"{path} does not fit the {name} branch: expected the weights of the same network, "
                f"found {len(wrong)} that differ, such as {wrong[0]}; "
                "train the unimodal run with the same settings"
            )
        fitting[name] = {k: found[k] for k in fits}
        report["loaded"] += [prefix + k for k in sorted(fits)]
        report["left_out"] += [prefix + k for k in sorted(found.keys() - fits)]
    for name, state in fitting.items():
        branches[name].load_state_dict(state)
    named = (name for name, _ in network.named_parameters())
    report["fresh"] += [n for n in named if not n.startswith("branches.")]
    return report
