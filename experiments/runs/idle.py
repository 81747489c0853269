"""Overrides that would change nothing: they are refused, and not accepted and ignored."""

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.runs.compose import GROUPS, compose
from experiments.runs.identity import essence
from experiments.runs.overrides import Overrides

# Where things are, how they look, and on which device: no part of what a run is.
PLACES = (
    "fold",                             # folders of a run
    "seed",
    "results",                          # its place
    "data.root",                        # that of the data, which are told apart by their manifest
    "datamodule.root",
    "rerun",                            # what to do with a complete run
    "progress",                         # what is shown
    "logger",                           # where figures are also written
    "trainer",                          # its choice, such as cpu; what alters a result is checked
    "trainer.accelerator",              # on which device
    "datamodule.workers",               # how batches are loaded, which are the same
    "datamodule.evaluation_batch_size",
)  # fmt: skip
SENTINEL = "__idle__"


def idle(
    overrides: Overrides, cfgs: list[DictConfig], keys: Iterable[str] | None = None
) -> list[str]:
    """Return those overrides on whose value nothing depends.

    Args:
        overrides: of a run.
        cfgs: the run's configuration, and those of the runs that it starts from.
        keys: of the overrides that are looked at; all if not given.
    """
    wanted = set(overrides.keys if keys is None else keys)

    @cache
    def before(index: int) -> dict[str, Any]:  # of the first run, or of those that it starts from
        return essence(cfgs[index])

    # What is said to a logger counts only where there is one; hydra's own says who starts the job.
    logger = ("logger.",) if "_target_" in (cfgs[0].logger or {}) else ()
    found = []
    for key, text in zip(overrides.keys, overrides, strict=True):
        if key not in wanted:
            continue
        if key in PLACES or key in GROUPS or key.startswith(("hydra.", "hydra/", *logger)):
            continue
        there = "." in key or OmegaConf.select(cfgs[0], key, throw_on_missing=False) is not None
        if text.startswith("~") or not there:
            acts = _choice_acts(overrides, key, before(0))
        else:
            acts = any(_acts(cfg, key, before(index)) for index, cfg in enumerate(cfgs))
            acts = acts or _differs_without(overrides, key, cfgs[0], before(0))
        if not acts:
            found.append(text)
    return found


def _acts(cfg: DictConfig, key: str, before: dict[str, Any]) -> bool:
    """Say whether a value that nobody knows would make another run."""
    if OmegaConf.is_list(OmegaConf.select(cfg, key)):
        return False  # its order may matter, or not: that is seen without the override
    changed = copy.deepcopy(cfg)
    try:
        OmegaConf.update(changed, key, SENTINEL, merge=False, force_add=True)
        return essence(changed) != before
    except Exception:  # whatever reads the value cannot do with this one, which tells nothing
        return False


def _differs_without(
    overrides: Overrides, key: str, cfg: DictConfig, before: dict[str, Any]
) -> bool:
    """Say whether the run would be another, or none, without the override.

    An override that says what holds anyway counts as one that acts.
    """
    try:
        without = compose(overrides.exactly_without(key))
        same = OmegaConf.select(without, key) == OmegaConf.select(cfg, key)
        return same or essence(without) != before
    except Exception:  # without it there is no run at all
        return True


def _choice_acts(overrides: Overrides, group: str, before: dict[str, Any]) -> bool:
    """Say whether a choice of a configuration group makes another run than leaving it out."""
    return essence(compose(overrides.exactly_without(group))) != before
