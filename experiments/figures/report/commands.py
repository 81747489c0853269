"""The commands that make runs again: from their recorded configuration back to overrides."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.console import explain
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.statistics import Fold, RunKey
from experiments.runs.compose import GROUPS, compose
from experiments.runs.folder import RunError
from experiments.runs.idle import PLACES
from experiments.runs.overrides import Overrides, key_of

# `network` is built from the rest, and so looked at last; `staged` is a part of it or not used.
BUILT, UNUSED = "network", "staged"
MISSING = object()  # None is a value
CHOICES_WITHIN = ("rgb",)  # groups of configs/ that a task chooses from


def overrides_of(config: Mapping[str, Any]) -> Overrides:
    """Return the fewest overrides found that make a run's configuration, less fold and seed.

    Hydra has to be initialised with the folder of the configuration groups.

    Args:
        config: a run's `config.yaml` as plain containers.

    Raises:
        RunError: if this version of the project cannot compose such a configuration.
    """
    if not config:
        raise RunError("its config.yaml is missing or cannot be read")
    try:
        start = _choices(config)
        found = [_changed(start, config)]
        if any(key_of(text).startswith("task.") for text in found[0]):
            found += [_changed(other, config) for other in _within(start)]
        return min(found, key=len)
    except (HydraException, OmegaConfBaseException, KeyError, TypeError, AttributeError) as error:
        told = explain(error) if isinstance(error, HydraException) else str(error)
        raise RunError(f"its config.yaml is none of this version of the project: {told}") from None


def with_root(overrides: Overrides, config: Mapping[str, Any]) -> Overrides:
    """Add where a run's packed data were; the rendered sample needs no place."""
    data = config.get("data") or {}
    if data.get("name", "sample") == "sample" or "data.root" in overrides:
        return overrides
    return Overrides([*overrides, f"data.root={written(data.get('root'))}"])


def commands(overrides: Overrides, keys: Iterable[RunKey]) -> list[str]:
    """Return the commands that make runs again, a sweep for all folds that share their seeds.

    Args:
        overrides: of all, less fold and seed.
        keys: fold and seed of each run.
    """
    seeds: dict[Fold, list[int]] = {}
    for fold, seed in keys:
        seeds.setdefault(fold, []).append(seed)
    folds: dict[tuple[int, ...], list[Fold]] = {}
    for fold, found in seeds.items():
        folds.setdefault(tuple(sorted(found)), []).append(fold)
    lines = []
    for shared, of in folds.items():
        several = ["-m"] if len(shared) * len(of) > 1 else []
        places = [f"fold={','.join(map(str, of))}", f"seed={','.join(map(str, shared))}"]
        lines.append(shell("train.py", *several, *overrides, *places))
    return lines


def conversions(runs: Iterable[FinishedRun], config: Mapping[str, Any]) -> list[str]:
    """Return the commands that convert released files once more, and measure what comes of them.

    Args:
        runs: converted ones.
        config: that of one of them.
    """
    lines = []
    root = (config.get("data") or {}).get("root")
    for run in runs:
        file, place = run.metrics["converted"]["file"], run.folder.path
        convert = [f"in={written(file)}", f"out={written(str(place))}", f"fold={run.key[0]}"]
        lines.append(shell("scripts/convert.py", *convert))
        lines.append(
            shell("evaluate.py", f"run={written(str(place))}", f"data.root={written(root)}")
        )
    return lines


def shell(script: str, *words: str) -> str:
    """Return a command of the project as it can be pasted into a shell."""
    return shlex.join(["python", script, *words])


def written(value: Any) -> str:
    """Return a value as Hydra's grammar reads it back."""
    if value is None or isinstance(value, bool | int | float):
        return "null" if value is None else str(value).lower()
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}: {written(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    try:
        if Overrides([f"key={value}"]).value("key") == value:
            return str(value)
    except (HydraException, RunError):
        pass
    escaped = str(value).replace("\\'", "\\\\'").replace("'", "\\'")
    return f"'{escaped}'"


def _choices(config: Mapping[str, Any]) -> Overrides:
    names = [f"{group}={written(config[group]['name'])}" for group in GROUPS]
    return with_root(Overrides(names), config)


def _within(start: Overrides) -> Iterator[Overrides]:
    loader = GlobalHydra.instance().config_loader()
    for group in CHOICES_WITHIN:
        for name in loader.get_group_options(group):
            try:
                compose(other := Overrides([*start, f"{group}={name}"]))
            except HydraException:  # the task does not choose from this group
                continue
            yield other


def _changed(start: Overrides, config: Mapping[str, Any]) -> Overrides:
    """Add what has to be set so that `start` gives a configuration."""
    composed = compose(start)
    composed.fold = config["fold"]  # what else depends on it is not looked at
    texts = list(start)
    resolved: dict[str, Any] = {}
    for path in _by_depth(config):
        root, value = path.partition(".")[0], _at(config, path)
        if root not in resolved:
            resolved[root] = _plain(OmegaConf.select(composed, root))
        known = _at(resolved, path)
        if known == value:
            continue
        sign = "+" if known is MISSING else ""
        OmegaConf.update(composed, path, value, force_add=True)
        texts.append(f"{sign}{path}={written(value)}")
        resolved.clear()
    return Overrides(texts)


def _by_depth(config: Mapping[str, Any]) -> list[str]:
    """Return the paths of all leaves, those first on which others may depend."""

    def last(path: str) -> tuple[bool, bool, int]:
        root = path.partition(".")[0]
        return root == BUILT, root == "datamodule", path.count(".")

    paths = [path for path in _leaves(config) if not _is_place(path)]
    return sorted(paths, key=last)


def _is_place(path: str) -> bool:
    names = {f"{group}.name" for group in GROUPS}
    places = (place for place in PLACES if place != "trainer")
    skipped = (*places, "trainer.accelerator", UNUSED)
    return path in names or any(path == s or path.startswith(f"{s}.") for s in skipped)


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, inner in value.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping) and inner:
            yield from _leaves(inner, name)
        else:
            yield name


def _at(config: Mapping[str, Any], path: str) -> Any:
    found: Any = config
    for name in path.split("."):
        found = found.get(name, MISSING) if isinstance(found, Mapping) else MISSING
    return found


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
