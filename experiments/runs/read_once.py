"""Configuration files that are read once, and not once a composition.

Hydra parses some twenty of them to compose a run, which takes nearly half of its time. The rows of
a table have most of them in common.
"""

import copy
from collections.abc import Callable
from typing import Any, Self

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.config_source import ConfigResult


def read_files_once(loader: ConfigLoader) -> None:
    """Let the sources of a loader keep what they have read; a second call changes nothing.

    Args:
        loader: of the Hydra that is initialized; another one reads the files anew.
    """
    for source in loader.get_sources():
        if not isinstance(source.load_config, ReadOnce):
            source.load_config = ReadOnce(source.load_config)  # type: ignore[method-assign]


class ReadOnce:
    """A source's `load_config` that keeps what it has read, and gives copies, which Hydra changes.

    Args:
        load: the source's own.
    """

    def __init__(self, load: Callable[[str], ConfigResult]) -> None:
        self.load = load
        self.known: dict[str, ConfigResult] = {}

    def __call__(self, config_path: str) -> ConfigResult:
        if config_path not in self.known:
            self.known[config_path] = self.load(config_path)
        return copy.deepcopy(self.known[config_path])

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # Hydra copies its sources for each composition; what was read is shared
