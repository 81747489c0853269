"""Weights that are loaded into a network: those of unimodal runs, and published ones.

Loaded strictly, with a report of what was and was not loaded; no file runs code.
"""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from experiments.contracts import Branch, NetworkWithBranches
from experiments.runs.errors import RunError, reading

# What torch.load raises for files of text, of nothing, and for damaged ones.
UNREADABLE = (
    RuntimeError, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError,
    struct.error,
)  # fmt: skip


def damage(path: Path) -> str:
    """Say what is wrong with a file that torch wrote; nothing if its bytes are what was written.

    torch saves a checksum with each tensor and does not look at it when it loads.

    Args:
        path: a file of `torch.save`, which is a zip archive since version 1.6.
    """
    if not path.is_file():
        return "no file"
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except Exception as error:  # whatever a damaged archive makes of its reader
        return f"damage ({error})" if path.stat().st_size else "an empty file"
    return f"damage (the checksum of {wrong} does not fit)" if wrong else ""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights without running any code that it may carry.

    Raises:
        RunError: if there is no such file, it is damaged, or holds anything but named tensors.
    """
    refuse_damage(path, "train the run that should have written it")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
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


def refuse_damage(path: Path, advice: str) -> None:
    """Refuse what is no file, and an archive of torch whose checksums do not fit.

    Files of before torch 1.6 have none, and pass.

    Raises:
        RunError: says what was found.
    """
    with reading(path, "a file of weights", advice):
        if zipfile.is_zipfile(path) and (fault := damage(path)):
            raise RunError(f"{path}: expected weights as they were saved, found {fault}; {advice}")


def branches_of(network: nn.Module) -> Mapping[str, Branch]:
    """Return a network's branches by modality.

    Raises:
        RunError: if it has none, and so nothing that other weights could start.
    """
    if not isinstance(network, NetworkWithBranches):
        raise RunError(f"{type(network).__name__} has no branches that other weights could start")
    return network.branches


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
    branches = branches_of(network)
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


def load_published(
    network: nn.Module, files: Mapping[str, Path]
) -> dict[str, dict[str, list[str]]]:
    """Start branches from published weights, such as those of Kinetics or ImageNet.

    Every tensor must fit but the head, which was trained for other classes and is loaded only if it
    has the same size; and the counters of batch norms, which old files lack.

    Args:
        network: has `branches` by modality, which know the names of their published files.
        files: by modality.

    Returns:
        For each modality `loaded`, `left_out` (in the file, not loaded) and `fresh` (not in the
        file): sorted names.

    Raises:
        RunError: if a file does not fit; nothing is loaded then.
    """
    branches = branches_of(network) if files else {}
    found: dict[str, dict[str, Tensor]] = {}
    reports = {}
    for name, path in files.items():
        if name not in branches:
            raise RunError(f"{path}: this network has no {name} branch to start")
        weights = read_weights(path)  # names the file itself, where it is none of weights
        try:
            found[name] = branches[name].convert(weights)
        except ValueError as error:
            raise RunError(f"{path}, for {name}: {error}") from None
        reports[name] = _compare(branches[name].state_dict(), found[name], f"{path}, for {name}")
    for name, report in reports.items():
        fitting = {key: found[name][key] for key in report["loaded"]}
        branches[name].load_state_dict(fitting, strict=False)
    return reports


def _compare(
    wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], place: str
) -> dict[str, list[str]]:
    fits = {k for k, v in found.items() if k in wanted and v.shape == wanted[k].shape}
    missing = {key for key in wanted.keys() - found.keys() if not _may_lack(key)}
    wrong = {key for key in found.keys() - fits if not key.startswith("head.")}
    if missing or wrong:
        told = [
            f"{len(names)} {what}, such as {min(names)}"
            for what, names in (("are missing", missing), ("have no place or another shape", wrong))
            if names
        ]
        raise RunError(
            f"{place}: expected the weights of this network, found {len(fits)} of {len(wanted)} "
            f"tensors that fit; {'; '.join(told)}: give the file of the same network, at its own "
            "width"
        )
    return {
        "loaded": sorted(fits),
        "left_out": sorted(found.keys() - fits),
        "fresh": sorted(wanted.keys() - fits),
    }


def _may_lack(key: str) -> bool:
    return key.startswith("head.") or key.endswith("num_batches_tracked")
