"""Which classes a configuration may name that came with a run folder, perhaps from someone else."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

from hydra.utils import get_object

from experiments.runs.folder import RunError

OWN = ("msaf", "models", "datamodules")
KNOWN = (
    "the project's own classes, torch's optimizers and schedulers, Lightning's trainer and loggers"
)


def refuse_unknown_classes(config: Any, file: Path) -> None:
    """Refuse a configuration that would build anything but what the project itself builds.

    Args:
        config: plain containers, as they will be built, with every interpolation resolved.
        file: where they came from.

    Raises:
        RunError: names the first class that is none of `KNOWN`, or text that would become another
            value once more.
    """
    for text in _interpolations(config):
        raise RunError(
            f"{file}: expected values alone, found {text!r}, which stands for another that was not "
            "looked at; if you trust whoever made this run folder, add trust=true"
        )
    for target in _targets(config):
        if not _known(target):
            raise RunError(
                f"{file}: expected {KNOWN} alone, found {target}, which may be any program; "
                "if you trust whoever made this run folder, add trust=true"
            )


def _targets(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _targets(child)


def _interpolations(node: Any) -> Iterator[str]:
    """Give what OmegaConf would resolve again, such as `${oc.create:...}` that was escaped."""
    if isinstance(node, str):
        if "${" in node:
            yield node
    elif isinstance(node, dict):
        yield from _interpolations([*node, *node.values()])
    elif isinstance(node, list):
        for child in node:
            yield from _interpolations(child)


def _known(target: Any) -> bool:
    """Look a name up, but only below the packages that may be named: importing runs code too."""
    from pytorch_lightning import Trainer
    from pytorch_lightning.loggers import Logger
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    package = str(target).partition(".")[0]
    if package not in (*OWN, "torch", "pytorch_lightning"):
        return False
    try:
        found = get_object(target)
    except (ImportError, ValueError, TypeError):
        return False
    if inspect.ismethod(found) and _own(found.__func__):  # a constructor by another name, such as
        found = found.__self__  # StagedNetwork.build, but nothing that a library has added
    if inspect.isfunction(found) and _own(found):  # one of ours, but only if it gives an optimizer
        given = get_type_hints(found).get("return")
        return inspect.isclass(given) and issubclass(given, Optimizer)
    if not inspect.isclass(found):
        return False
    libraries = issubclass(found, Optimizer | LRScheduler | Logger) or found is Trainer
    return libraries or _own(found)


def _own(found: Any) -> bool:
    return str(found.__module__).partition(".")[0] in OWN
