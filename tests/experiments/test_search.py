"""The search as a command: from words over unimodal runs to a file of architectures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
import pytorch_lightning as pl
import torch
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console
from torch.utils.data import DataLoader

from experiments.runs.folder import RunError
from experiments.search import search
from tests.experiments.conftest import CONFIGS
from tests.experiments.fakes import Order

WORDS = [
    "task=ntu",
    "datamodule._target_=tests.experiments.test_search.TinyClips",
    "data=full",
    "data.root=nowhere",
    "rgb=inflated_resnet50",
    "task.branches.video.depths=[1,1,1,1]",
    "task.branches.video.width=4",
    "task.branches.skeleton.width=32",
    "datamodule.skeleton_frames=16",
    "epochs=1",
    "threads=1",
    "batch_size=6",
    "progress=false",
]
SEARCH = ["fusion.search.iterations=1", "fusion.search.levels=2", "fusion.search.samples=2"]


class TinyClips(pl.LightningDataModule):
    """Two dozen random clips; takes and ignores what the real datamodule needs."""

    manifest_hash = "0" * 64
    provenance = "sample"
    shapes = {"video": (3, 2, 32, 32), "skeleton": (3, 16, 25, 2)}  # noqa: RUF012
    evaluation_names = ("test", "validation")
    ids = tuple(map(str, range(24)))

    def __init__(self, root: str, *, modalities: list[str], seed: int, **other: Any) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        data = {n: torch.randn(24, *self.shapes[n], generator=generator) for n in modalities}
        data |= {"label": torch.arange(24) % 3, "id": torch.arange(24)}
        self.clips: list[Any] = [{k: v[i] for k, v in data.items()} for i in range(24)]
        self.seed = seed

    def train_dataloader(self) -> Any:
        return DataLoader(self.clips[:12], 6, sampler=Order(12, self.seed))

    def val_dataloader(self) -> Any:
        return [DataLoader(part, 6) for part in (self.clips[12:18], self.clips[18:])]


@pytest.fixture
def configured() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


def test_from_words_to_architectures(configured: None, tmp_path: Path) -> None:
    words = [*WORDS, *SEARCH, "fusion=mfas", f"results={tmp_path}"]
    with (tmp_path / "said.txt").open("w") as said:
        file = search(words, Console(file=said, width=200))
    content = json.loads(file.read_text())
    assert content["provenance"] == "sample"
    tried = content["architectures"]
    assert len(tried) == 32 + 2
    assert {len(one["layers"]) for one in tried} == {1, 2}
    accuracies = [one["accuracy"] for one in tried]
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(round(value * 6 / 100, 6).is_integer() for value in accuracies)  # of six clips
    shown = (tmp_path / "said.txt").read_text()
    assert "(sample data)" in shown and "fusion.network.layers=[[" in shown
    assert len(list(tmp_path.rglob("metrics.json"))) == 2  # the unimodal runs
    before = file.stat().st_mtime_ns
    with (tmp_path / "again.txt").open("w") as said:
        assert search(words, Console(file=said, width=200)) == file
    assert file.stat().st_mtime_ns == before
    assert (tmp_path / "again.txt").read_text().splitlines()[-6:] == shown.splitlines()[-6:]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fusion=msaf"], "fusion=msaf has no architecture to search: fusion=mfas has"),
        (["fusion=mfas", "init=scratch"], "a search needs trained branches: init=unimodal"),
    ],
)
def test_what_cannot_be_searched(
    configured: None, words: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=message):
        search([*WORDS, *words, f"results={tmp_path}"], Console(quiet=True))


def test_nothing_is_searched_by_test_samples(
    configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TinyClips, "evaluation_names", ("test", "dev"))
    with pytest.raises(RunError, match="that are not tested, found the splits test, dev"):
        search([*WORDS, "fusion=mfas", f"results={tmp_path}"], Console(quiet=True))
    assert not list(tmp_path.rglob("metrics.json"))
