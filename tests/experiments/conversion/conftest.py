"""A released file, written and converted as the command does it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra

from experiments.conversion.convert import convert as convert_file
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS


@pytest.fixture
def convert(tmp_path: Path) -> Iterator[Any]:
    """Save what is given under a name, convert it, and return the run folder."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):

        def save_and_convert(content: Any, name: str, *overrides: str) -> Path:
            torch.save(content, tmp_path / name)
            places = [f"in={tmp_path / name}", f"out={tmp_path / 'run'}"]
            return convert_file(Overrides([*places, *overrides])).folder.path

        yield save_and_convert
