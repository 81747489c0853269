"""Configuration files that are read once: the same configurations, from fewer reads."""

import pickle
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hydra
import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from experiments.runs.read_once import ReadOnce, read_files_once
from tests.experiments.conftest import CONFIGS

CHOICES = [
    ["task=ravdess", "fusion=msaf"],
    ["task=ntu", "fusion=mmtm", "rgb=inflated_resnet50"],
    ["task=mosei", "fusion=none", "modalities=[text]", "training.optimizer.lr=1"],
    ["task=ravdess", "fusion=msaf"],  # once more: nothing that was composed has crept in
    ["task=ravdess", "fusion=msaf", "fusion.mid.reduction=8", "~logger"],
]


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def texts() -> list[str]:
    return [OmegaConf.to_yaml(hydra.compose("train", choice)) for choice in CHOICES]


def test_what_is_composed_stays_the_same(loader: ConfigLoader) -> None:
    before = texts()
    read_files_once(loader)
    assert texts() == before
    assert texts() == before
    assert before[0] == before[3] != before[4]


def test_each_file_is_read_once(loader: ConfigLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[str] = Counter()
    kind = next(type(source) for source in loader.get_sources() if source.scheme() == "file")
    original: Any = kind.load_config

    def load(self: Any, config_path: str) -> Any:
        reads[config_path] += 1
        return original(self, config_path)

    monkeypatch.setattr(kind, "load_config", load)
    read_files_once(loader)
    read_files_once(loader)
    texts()
    assert {"train", "task/ravdess", "fusion/msaf", "rgb/inflated_resnet50"} <= set(reads)
    assert set(reads.values()) == {1}


def test_the_sources_still_travel_to_other_processes(loader: ConfigLoader) -> None:
    """As a launcher sends them."""
    read_files_once(loader)
    texts()
    for source in pickle.loads(pickle.dumps(loader.get_sources())):
        assert isinstance(source.load_config, ReadOnce)
        assert source.load_config.load.__self__ is source
