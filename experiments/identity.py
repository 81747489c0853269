"""What makes a run the run that it is: the settings that can alter its result, and their hash."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Fold and seed are folders of their own; the rest cannot alter a result.
PLACES = {"datamodule": {"root", "workers", "sample", "fold", "seed", "evaluation_batch_size"}}
TRAINER_LOOKS = {"logger", "accelerator", "log_every_n_steps"}
# Overrides that the folder's other levels show already, or that cannot alter a result.
SHOWN = {"task", "fusion", "data", "protocol", "modalities", "fold", "seed", "sweep", "debug"}
SILENT = {"logger", "results", "progress", "data.root", "datamodule.workers", "trainer.accelerator"}


def settings(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings of a run that can alter its result, as plain containers."""
    full = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(full, dict)
    used = {str(name) for name in full["modalities"]}
    kept = {
        k: full[k] for k in ("modalities", "epochs", "init", "threads", "training", "reporting")
    }
    network = full["network"]
    points = network["fusion_points"] if network["mid"] else []
    return kept | {
        "protocol": full["protocol"]["name"],
        "task": full["task"]["name"],
        "network": network
        | {
            "branches": _only(network["branches"], used),
            "fusion_points": [_only(point, used | {"join"}) for point in points],
        },
        "datamodule": _without(full["datamodule"], PLACES["datamodule"]),
        "trainer": {
            key: value
            for key, value in full["trainer"].items()
            if key not in TRAINER_LOOKS and not key.startswith("enable_")
        },
    }


def digest(value: Any) -> str:
    """Return the first eight hex digits of the sha256 of a value's canonical JSON."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def variant(cfg: DictConfig, overrides: Sequence[str], run_hash: str) -> str:
    """Return `<modalities>-<protocol>[-<changed settings>]-<hash>`, the name of a run's variant."""
    changed: dict[str, str] = {}
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key not in SHOWN | SILENT and not key.startswith("hydra"):
            changed[key] = key.rpartition(".")[2] + value  # the last word counts
    words = ["+".join(cfg.modalities), cfg.protocol.name, *sorted(changed.values())]
    readable = "".join(c if c.isalnum() or c in "+._" else "-" for c in "-".join(words[2:]))
    readable = re.sub("-+", "-", readable)[:100].strip("-")
    return "-".join([*words[:2], *([readable] if readable else []), run_hash])


def _only(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key in keys}


def _without(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
