"""What a configuration can say beyond plain values: `${by_data:...}` and the like.

`${by_data:70,15}`              70 on the full data set, 15 on the sample
`${by_protocol:clip,frame}`     clip under the paper's protocol, frame under the released one
`${pick:<options>,<names>}`     the options of these names, in the order of the names
`${choose:<options>,<name>}`    the option of this name
`${exchanges:...}`              what the branches exchange where, see `exchanges`
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf


def register() -> None:
    """Make the resolvers known to OmegaConf."""
    for resolver in (by_data, by_protocol, pick, choose, exchanges):
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def by_data(full: Any, sample: Any, *, _root_: DictConfig) -> Any:
    """Return the value for the data set that is chosen: the full one, or the rendered sample."""
    return node(sample if _root_.data.name == "sample" else full)


def by_protocol(paper: Any, released: Any, *, _root_: DictConfig) -> Any:
    """Return the value under the protocol that is chosen."""
    return node(released if _root_.protocol.name == "released" else paper)


def choose(options: Mapping[str, Any], name: str) -> Any:
    """Choose one entry by its name.

    Raises:
        ValueError: if there is none; says which ones there are.
    """
    if name not in options:
        raise ValueError(f"{name}: no such choice; there are {', '.join(map(str, options))}")
    return node(options[name])


def pick(options: Mapping[str, Any], names: Sequence[str]) -> DictConfig:
    """Choose entries by their names, in the order of the names.

    Raises:
        ValueError: as `choose`.
    """
    return OmegaConf.create({name: plain(choose(options, name)) for name in names})


def exchanges(
    points: Mapping[str, Any],
    names: Sequence[str],
    fusion: Mapping[str, Any],
    modalities: Sequence[str],
) -> ListConfig:
    """Return what `StagedNetwork` is given for its fusion points.

    Args:
        points: by name the stages of the branches that meet there, and options of the meeting.
        names: the points where the fusion has a module.
        fusion: has `mid`, the module with its settings at every point, and `points`, by name the
            settings that differ there; without `mid` nothing is exchanged.
        modalities: those in use; a point with one of them is none.

    Raises:
        ValueError: for a name that is no point.
    """
    settings = fusion.get("points") or {}
    found = []
    for name in names:
        point = plain(choose(points, name))
        stages = {m: point["stages"][m] for m in modalities if m in point["stages"]}
        if fusion.get("mid") is not None and len(stages) > 1:
            module = plain(fusion["mid"]) | (plain(settings.get(name)) or {})
            found.append({**point, "stages": stages, "fusion": module})
    return OmegaConf.create(found)


def plain(value: Any) -> Any:
    """Return a value as plain containers, which a configuration can be written with."""
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def node(value: Any) -> Any:
    """Return a value as a configuration can hold it: containers as nodes of their own."""
    found = plain(value)
    return OmegaConf.create(found) if isinstance(found, dict | list) else found
