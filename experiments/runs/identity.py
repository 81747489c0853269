"""What makes a run the run that it is: the settings that can alter its result, and their hash."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Fold and seed are folders of their own. The device rounds differently, but a run may be continued
# on another one: it is written in metrics.json instead. What acted in prepare is in the manifest,
# whose hash counts too. The rest cannot alter a result.
NO_PART = {"root", "workers", "sample", "prepared", "fold", "seed", "evaluation_batch_size"}
TRAINER_LOOKS = {"logger", "accelerator", "log_every_n_steps"}
FAST = ("channels_last", "compile")  # they round differently, so they count where they are on
REPEATED = {"max_epochs"}  # another name for a setting that stands elsewhere


def settings(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings of a run that can alter its result, as plain containers."""
    full = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(full, dict)
    used = {str(name) for name in full["modalities"]}
    kept = {
        k: full[k] for k in ("modalities", "epochs", "init", "threads", "training", "reporting")
    }
    # `video_frames` is of no account where there is no video.
    unused = tuple(f"{name}_" for name in full["task"]["branches"] if name not in used)
    others = {key for key in full["datamodule"] if key.startswith(unused)}
    kept |= {flag: full[flag] for flag in FAST if full.get(flag)}
    return kept | {
        "protocol": full["protocol"]["name"],
        "task": full["task"]["name"],
        "network": _used(full["network"], used),
        "datamodule": _without(full["datamodule"], NO_PART | others),
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


def variant(cfg: DictConfig, plain: DictConfig, run_hash: str) -> str:
    """Return `<modalities>-<protocol>[-<changed settings>]-<hash>`, the name of a run's variant.

    Args:
        cfg: the run's configuration.
        plain: that of the same choices with nothing changed.
        run_hash: the run's hash.
    """
    changed = {} if plain is cfg else _changes(settings(plain), settings(cfg))
    named = sorted({_name(k, v) for (*_, k), v in changed.items() if k not in REPEATED})
    readable = "".join(c if c.isalnum() or c in "._" else "-" for c in "-".join(named))
    readable = re.sub("-+", "-", readable)[:100].strip("-")
    start = ["+".join(cfg.modalities), cfg.protocol.name]
    return "-".join([*start, *([readable] if readable else []), run_hash])


def _changes(plain: Any, changed: Any) -> dict[tuple[str, ...], Any]:
    """Return the leaves in which the second differs from the first, by their paths."""
    before, after = dict(_leaves(plain)), dict(_leaves(changed))
    return {key: value for key, value in after.items() if before.get(key) != value}


def _name(key: str, value: Any) -> str:
    """Return `key` and value in one; another class is known by its name alone."""
    return str(value).rpartition(".")[2] if key == "_target_" else f"{key}{value}"


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        # A number is no name: the items of a list go by the name of the list.
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path[:-1], str(index), path[-1]))
    else:
        yield path, value


def _used(network: Mapping[str, Any], modalities: set[str]) -> dict[str, Any]:
    """Leave the task's other branches out; a network of its own may know none of them."""
    kept = dict(network)
    if "branches" in kept:
        kept["branches"] = _only(kept["branches"], modalities)
    if "fusion_points" in kept:
        points = kept["fusion_points"] if kept.get("mid", True) else []
        words = modalities | {"join", "only", "unchanged"}
        kept["fusion_points"] = [_only(point, words) for point in points]
    return kept


def _only(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key in keys}


def _without(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
