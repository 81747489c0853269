"""What the overrides of scripts/download.py ask for."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.fetching.asked import look
from experiments.fetching.client import Client
from experiments.fetching.collect import Collection
from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger, alone
from experiments.fetching.packing import Packing
from experiments.fetching.plan import Plan, make_plan
from experiments.fetching.weights import fetch_weights
from experiments.files import usable_folder
from experiments.runs.overrides import Overrides

_PREPARING = ("protocol", "workers", "action_units", "prepare")  # what scripts/prepare.py is told
_KEYS = {  # of a command -> what it takes, and for what
    "weights": ("task", "weights", "out"),
    "archives": ("task", "out", "only", "modalities", "server", "retries", *_PREPARING),
    "check": ("task", "out"),
}


def read(arguments: Sequence[str]) -> Overrides:
    """Read a command line.

    Raises:
        FetchError: for a folder whose key was left out.
        hydra.errors.OverrideParseException: for what is no override in another way.
    """
    for text in arguments:
        if "=" not in text and text[:1] not in "~-+":
            raise FetchError(f"{text}: expected <key>=<value>; did you mean out={text}? (--help)")
    return Overrides(arguments)


def download(overrides: Overrides, configs: Path, console: Console) -> int:
    """Do what is asked for; return the exit status.

    Args:
        overrides: as typed.
        configs: the folder of the project's configurations.
        console: told what happens.

    Raises:
        FetchError, RunError: something that the user can put right.
    """
    task, node = _task(overrides, configs)
    kind = "weights" if "weights" in overrides else "archives" if "archives" in node else "check"
    for text in overrides.without(*_KEYS[kind]):
        raise FetchError(f"{text}: task={task} has no use for it here (--help)")
    if kind == "weights":
        folder = overrides.value("out")
        return fetch_weights(
            str(overrides.value("weights")),
            {str(name): call for name, call in node.get("weights", {}).items()},
            None if folder is None else usable_folder(Path(str(folder)), "out"),
            console,
        )
    if overrides.value("out") is None:
        raise FetchError("out=<folder> is missing: where are the raw files to lie? (--help)")
    out = usable_folder(Path(str(overrides.value("out"))), "out")
    if kind == "check":
        return look(task, node, out, console)
    return _collect(task, node, out, overrides, console)


def _task(overrides: Overrides, configs: Path) -> tuple[str, DictConfig]:
    known = sorted(path.stem for path in (configs / "download").glob("*.yaml"))
    task = overrides.value("task")
    if task is None:
        raise FetchError(f"task=<...> is missing; there are {', '.join(known)}")
    if task not in known:
        close = get_close_matches(str(task), known, n=1)
        guess = f", did you mean {close[0]}? There" if close else "; there"
        raise FetchError(f"task={task}: no such task{guess} are {', '.join(known)}")
    node = OmegaConf.load(configs / "download" / f"{task}.yaml")
    assert isinstance(node, DictConfig)
    return task, node


def _collect(task: str, node: DictConfig, out: Path, overrides: Overrides, console: Console) -> int:
    listed: Any = OmegaConf.to_container(node)
    plan = make_plan(task, listed, overrides.value("only"), overrides.value("modalities"))
    retries = overrides.value("retries", 6)
    if type(retries) is not int or retries < 0:
        raise FetchError(f"retries={retries}: expected a whole number of at least 0")
    client = Client(
        str(overrides.value("server", node.server)),
        retries=retries,
        say=lambda text: console.print(text, markup=False, highlight=False),
    )
    asked = overrides.exactly_without("prepare").only(*_PREPARING)
    target = overrides.value("prepare")
    if target is None and len(asked):
        raise FetchError(f"{asked}: nothing is prepared without prepare=<folder> (--help)")
    with alone(out):
        ledger = Ledger(out)
        packing = None
        if target is not None:
            folder = usable_folder(Path(str(target)), "prepare")
            packing = _packing(plan, node, out, folder, asked, ledger)
        Collection(plan, ledger, client, console).collect(packing)
    console.print(_next(plan, out, target), markup=False, highlight=False)
    return 0


def _packing(
    plan: Plan, node: DictConfig, raw: Path, out: Path, asked: Overrides, ledger: Ledger
) -> Packing:
    config = hydra.compose("prepare", [f"task={plan.task}", *asked])
    if config.workers is not None and (type(config.workers) is not int or config.workers < 1):
        raise FetchError(f"workers={config.workers}: expected a whole number of at least 1")
    if config.action_units is not None:
        config.action_units = str(config.action_units)
    config.raw, config.out = str(raw), str(out)
    return Packing(
        plan,
        raw,
        out,
        prepare=config.prepare,
        join=node.packing.join,
        argument=node.packing.argument,
        ledger=ledger,
    )


def _next(plan: Plan, out: Path, packed: Any) -> str:
    if packed is None:
        return f"{out} is complete; next: python scripts/prepare.py task={plan.task} raw={out}"
    return (
        f"{packed} is complete; next: python train.py task={plan.task} data=full data.root={packed}"
    )
