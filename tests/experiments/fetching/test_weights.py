"""ImageNet weights: on request, held against the digits in their name, and of use to a run."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from rich.console import Console

from experiments.fetching.command import download
from experiments.fetching.errors import FetchError
from experiments.runs.overrides import Overrides
from models.backbones import InflatedResNet
from tests.experiments.conftest import CONFIGS
from tests.experiments.fetching.server import VIDEO, RecordServer, serving

WEIGHTS = torchvision.models.ResNet50_Weights.IMAGENET1K_V1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordServer]:
    """Serves a few tensors of a ResNet under a name with their digits, as the public file has."""
    saved = io.BytesIO()
    torch.save({"conv1.weight": torch.arange(9408.0).reshape(64, 3, 7, 7)}, saved)
    content = saved.getvalue()
    name = f"resnet50-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    with serving({VIDEO: {name: content}}) as running:
        monkeypatch.setattr(type(WEIGHTS), "url", f"{running.address}/files/{name}")
        yield running


def fetch(*overrides: str) -> str:
    said = io.StringIO()
    download(Overrides(["task=ntu", *overrides]), Path(CONFIGS), Console(file=said, width=300))
    return said.getvalue()


def test_the_public_file_is_named() -> None:
    assert WEIGHTS.url == "https://download.pytorch.org/models/resnet50-0676ba61.pth"


def test_into_a_folder(server: RecordServer, tmp_path: Path) -> None:
    said = fetch("weights=inflated_resnet50", f"out={tmp_path}")
    (file,) = tmp_path.iterdir()
    assert f"next: python train.py task=ntu fusion=msaf pretrained.inflated_resnet50={file}" in said
    published = torch.load(file, weights_only=True)
    assert torch.equal(published["conv1.weight"][1, 0, 0, :3], torch.tensor([147.0, 148, 149]))
    converted = InflatedResNet(outputs=60).convert(published)
    assert list(converted) == ["stages.stem.conv1.weight"]
    fetch("weights=inflated_resnet50", f"out={tmp_path}")
    assert len(server.fetched()) == 1


def test_into_the_cache_of_torch(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    fetch("weights=inflated_resnet50")
    (file,) = (tmp_path / "hub" / "checkpoints").iterdir()
    assert file.name.startswith("resnet50-")


def test_another_file_than_its_name_says(server: RecordServer, tmp_path: Path) -> None:
    ((name, content),) = server.records[VIDEO].items()
    server.records[VIDEO][name] = content[:-1] + b"x"
    with pytest.raises(FetchError, match=r"found invalid hash value .* put the file there by hand"):
        fetch("weights=inflated_resnet50", f"out={tmp_path}")
    assert not list(tmp_path.iterdir())


def test_a_cached_file_that_is_cut_off(server: RecordServer, tmp_path: Path) -> None:
    ((name, content),) = server.records[VIDEO].items()
    (tmp_path / name).write_bytes(content[:2000])
    with pytest.raises(FetchError, match=r"expected the weights ResNet50_Weights.IMAGENET1K_V1"):
        fetch("weights=inflated_resnet50", f"out={tmp_path}")


def test_no_network(server: RecordServer, tmp_path: Path) -> None:
    server.server_close()
    with pytest.raises(FetchError, match=r"(refused|reset).*put the file there by hand"):
        fetch("weights=inflated_resnet50", f"out={tmp_path}")


@pytest.mark.parametrize("network", ["i3d", "resnet50"])
def test_networks_that_torchvision_has_no_weights_for(network: str) -> None:
    with pytest.raises(FetchError, match=f"weights={network}: expected inflated_resnet50; docs"):
        fetch(f"weights={network}")
