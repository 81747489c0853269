"""Published weights: what is loaded, what is said of it, and files that do not fit."""

import hashlib
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from experiments.runs.folder import RunError
from experiments.runs.published import Published
from experiments.runs.weights import load_published, read_weights
from models.backbones import HCN, I3D
from tests.experiments.conftest import MakeRun


def network(width: int = 8) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Module()
    net.branches = nn.ModuleDict(
        {"video": I3D(outputs=60, width=width), "skeleton": HCN(outputs=60)}
    )
    return net


def publish(folder: Path, *, classes: int = 400, counters: bool = False) -> Path:
    """Write a file as it is published: without counters of batch norms if it is old."""
    torch.manual_seed(1)
    source = I3D(outputs=classes, width=8)
    state = {
        re.sub(r"^stages\.(\w+)\.\d\.", r"\1.", name): value
        for name, value in source.state_dict().items()
        if counters or not name.endswith("num_batches_tracked")
    }
    weight = state.pop("head.weight")
    state |= {"logits.conv3d.weight": weight[..., None, None, None]}
    state["logits.conv3d.bias"] = state.pop("head.bias")
    torch.save(state, folder / "kinetics.pt")
    return folder / "kinetics.pt"


def layer(net: nn.Module) -> Tensor:
    return net.branches["video"].stages["Mixed_4f"][0].b2a.conv3d.weight  # type: ignore[union-attr,index]


def test_all_but_the_head_of_other_classes(tmp_path: Path) -> None:
    file = publish(tmp_path)
    net, untouched = network(), network()
    report = load_published(net, {"video": file})["video"]
    convolutions = 3 + 9 * 6
    assert len(report["loaded"]) == convolutions * 5  # a kernel, and four tensors of its norm
    assert report["left_out"] == ["head.bias", "head.weight"]
    assert len(report["fresh"]) == convolutions + 2  # the counters, and our own head
    assert torch.equal(layer(net), torch.load(file)["Mixed_4f.b2a.conv3d.weight"])
    assert not torch.equal(layer(net), layer(untouched))
    head, before = net.branches["video"].head, untouched.branches["video"].head
    assert torch.equal(head.weight, before.weight)
    same = zip(net.branches["skeleton"].parameters(), untouched.branches["skeleton"].parameters(),
               strict=True)  # fmt: skip
    assert all(torch.equal(a, b) for a, b in same)


def test_a_head_of_the_same_classes_is_loaded_too(tmp_path: Path) -> None:
    net = network()
    report = load_published(net, {"video": publish(tmp_path, classes=60, counters=True)})["video"]
    assert (report["left_out"], report["fresh"]) == ([], [])
    loaded = torch.load(tmp_path / "kinetics.pt")["logits.conv3d.weight"]
    assert torch.equal(net.branches["video"].head.weight, loaded.flatten(1))


def test_what_is_said(tmp_path: Path) -> None:
    file = publish(tmp_path, counters=True)
    (line,) = Published({"video": file}).load(network())
    assert line == (
        f"video starts from {file}: 342 tensors loaded; 2 tensors left out (head.bias, "
        "head.weight); 2 tensors fresh (head.bias, head.weight)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Mixed_4f.b2a.conv3d.weight": None}, r"1 are missing, such as stages\.Mixed_4f"),
        ({"layer5.weight": torch.zeros(1)}, "1 have no place or another shape, such as layer5"),
        ({"Mixed_3b.b0.bn.bias": torch.zeros(3)}, r"have no place .* such as stages\.Mixed_3b"),
    ],
)
def test_a_file_that_does_not_fit_loads_nothing(
    change: dict[str, Tensor | None], message: str, tmp_path: Path
) -> None:
    file = publish(tmp_path)
    state = {k: v for k, v in (torch.load(file) | change).items() if v is not None}
    torch.save(state, file)
    net = network()
    with pytest.raises(RunError, match=message):
        load_published(net, {"video": file})
    assert torch.equal(layer(net), layer(network()))


def test_weights_of_another_network_or_width(tmp_path: Path) -> None:
    file = publish(tmp_path)
    with pytest.raises(RunError, match=r"found 0 of 344 .*are missing.*at its own width"):
        torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "other.pt")
        load_published(network(), {"video": tmp_path / "other.pt"})
    with pytest.raises(RunError, match="another shape"):
        load_published(network(width=16), {"video": file})
    with pytest.raises(RunError, match="HCN has no published weights"):
        load_published(network(), {"skeleton": file})
    with pytest.raises(RunError, match="no audio branch"):
        load_published(network(), {"audio": file})


def test_another_file_is_another_run(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    word = f"+task.published.audio={tmp_path}"
    alone = ["fusion=none", "modalities=[audio]"]
    plain, one, two = (make_run(*alone, *w) for w in ([], [f"{word}/one"], [f"{word}/two"]))
    assert len({plain.hash, one.hash, two.hash}) == 3
    assert one.published.marks == {"published": {"audio": hashlib.sha256(b"1").hexdigest()}}
    assert plain.published.marks == {}
    fused = make_run("fusion=sum", f"{word}/one")
    assert fused.sources["audio"].hash == one.hash
    assert fused.published.files == {}  # it starts from runs that start from the file
    scratch = make_run("fusion=sum", "init=scratch", f"{word}/one")
    assert list(scratch.published.files) == ["audio"]


def test_a_file_that_is_not_there(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere\.pt: expected a file of weights, found No such"):
        make_run(
            "fusion=none", "modalities=[audio]", f"+task.published.audio={tmp_path}/nowhere.pt"
        )


@pytest.mark.parametrize("content", [b"", b"some words", b"hello, these are words", b"PK\x03\x04"])
def test_a_file_of_anything_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"a\.pt: expected a file of named tensors alone, as torch"):
        read_weights(path)
