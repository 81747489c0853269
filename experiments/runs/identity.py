"""What makes a run the run that it is: the settings that can alter its result, and their hash."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Fold and seed are folders of their own. What acted in prepare is in the data's own identity. The
# rest cannot alter a result. The device rounds differently, but a run may be continued on another
# one: it is written in metrics.json instead.
NO_PART = {"root", "workers", "sample", "prepared", "fold", "seed", "evaluation_batch_size"}
TRAINER_LOOKS = {"logger", "accelerator", "log_every_n_steps"}
# They round differently, so they count where they are not as they were before they were settings.
FAST = ("channels_last", "compile")
PRECISION = ("matmul_precision", "cudnn_tf32")

# Settings that came after the first hashes, by their paths, each with the value at which a run is
# the same as before there was the setting: there it is left out of the digest, so that hashes last.
NEUTRAL = {
    "channels_last": False,
    "compile": False,
    "matmul_precision": "highest",
    "cudnn_tf32": True,
    "trainer.benchmark": False,
    "trains": True,
    "network.modality_dropout": 0.0,
}


def settings(cfg: DictConfig) -> dict[str, Any]:
    """Return what a run is built from, less what cannot alter its result, as plain containers.

    These are the arguments of its constructors. A setting that is not among them has no effect.
    """
    network, trainer = _plain(cfg.network), _plain(cfg.trainer)
    used = {str(name) for name in cfg.modalities}
    unused = {str(name) for name in cfg.task.branches} - used
    found = {
        "module": _plain(cfg.task.module),
        "network": network,
        # Branches are told apart by their order, and a digest knows no order of keys.
        "order": list(network.get("branches", ())),
        "training": _plain(cfg.training),
        "trains": bool(cfg.fusion.get("trains", True)),
        "reporting": _plain(cfg.reporting),
        "datamodule": _without(_plain(cfg.datamodule), NO_PART | unused)
        | {"modalities": sorted(used)},
        "trainer": {
            key: value
            for key, value in trainer.items()
            if key not in TRAINER_LOOKS and not key.startswith("enable_")
        },
        "threads": cfg.threads,
        **{name: cfg[name] for name in (*FAST, *PRECISION)},
    }
    return _lasting(found)


def depends_on(cfg: DictConfig, keys: Collection[str]) -> bool:
    """Say whether anything beside the datamodule's own `fold` and `seed` is made of these keys.

    It reads the interpolations and resolves none, which would take fifty times as long. One that
    only looks like it, such as `${task.fold}`, counts too: then the caller makes every run.

    Args:
        cfg: of a run.
        keys: some of `fold` and `seed`.
    """
    named = re.compile(rf"\b({'|'.join(keys)})\b") if keys else re.compile("(?!)")
    return any(
        isinstance(value, str) and "${" in value and named.search(value) is not None
        for path, value in _leaves(OmegaConf.to_container(cfg, resolve=False))
        if path not in (("datamodule", "fold"), ("datamodule", "seed"))
    )


def essence(cfg: DictConfig) -> dict[str, Any]:
    """Return all that a setting can act on: `settings`, the start, and how the data are made."""
    warm = starts_warm(cfg)
    made = ("sample", "prepared")
    return {
        "settings": settings(cfg),
        "start": [warm, cfg.protocol.init_from if warm else None],
        "published": _plain(cfg.task.get("published")) if not warm else None,
        "data": {key: _plain(cfg.datamodule.get(key)) for key in made},
        "epochs": cfg.epochs,
        "batch_size": cfg.batch_size,
    }


def starts_warm(cfg: DictConfig) -> bool:
    """Say whether a run starts from unimodal runs: a fusion may, one that trains nothing must."""
    several = len(cfg.modalities) > 1
    return several and (cfg.init == "unimodal" or not cfg.fusion.get("trains", True))


def _lasting(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what stands at its neutral value."""
    for path, neutral in NEUTRAL.items():
        *parents, last = path.split(".")
        inner: Any = found
        for name in parents:
            inner = inner.get(name, {})
        if inner.get(last) == neutral:
            del inner[last]
    return found


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def digest(value: Any) -> str:
    """Return the first eight hex digits of the sha256 of a value's canonical JSON."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def variant(cfg: DictConfig, found: dict[str, Any], plain: DictConfig, run_hash: str) -> str:
    """Return `<modalities>-<protocol>[-<changed settings>]-<hash>`, the name of a run's variant.

    Args:
        cfg: the run's configuration.
        found: its `settings`.
        plain: that of the same choices with nothing changed.
        run_hash: the run's hash.
    """
    changed = {} if plain is cfg else _changes(settings(plain), found)
    names = {_name(k, v) for (*_, k), v in changed.items()}
    if starts_warm(plain) != starts_warm(cfg):
        names.add(f"init{cfg.init}")
    named = sorted(names)
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


def _without(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
