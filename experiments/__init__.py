"""What a run is: its folder, identity, initialisation, reports and statistics."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import ListConfig, OmegaConf


def pick(options: Mapping[str, Any], names: str | Sequence[str]) -> ListConfig:
    """Choose entries by their names, in the order of the names: `${pick:<options>,<names>}`.

    A single name may stand without a list.

    Raises:
        ValueError: for a name that is not there; says which ones are.
    """
    names = [names] if isinstance(names, str) else names
    unknown = [name for name in names if name not in options]
    if unknown:
        raise ValueError(f"{unknown[0]}: no such choice; there are {', '.join(options)}")
    chosen = (options[name] for name in names)
    # Of plain containers, which a configuration with everything filled in can be written with.
    return OmegaConf.create(
        [OmegaConf.to_container(e, resolve=True) if OmegaConf.is_config(e) else e for e in chosen]
    )


# Here, because whatever reads a configuration imports this package before.
OmegaConf.register_new_resolver("pick", pick, replace=True)
