from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.fetching.plan import Plan, make_plan
from tests.experiments.conftest import CONFIGS
from tests.experiments.fetching.server import RecordServer, ravdess, serving


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with serving(ravdess(actors=2)) as running:
        yield running


def plan(**chosen: Any) -> Plan:
    """RAVDESS as it is configured, but with two actors."""
    node: Any = OmegaConf.to_container(OmegaConf.load(Path(CONFIGS) / "download" / "ravdess.yaml"))
    node["parts"]["last"] = 2
    return make_plan("ravdess", node, **chosen)
