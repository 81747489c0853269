"""Branches take the weights of unimodal runs, all of them or none."""

from pathlib import Path

import pytest
import torch
from torch import nn

from experiments.runs.folder import RunError
from experiments.runs.weights import load_branches


class Branch(nn.Module):
    def __init__(self, width: int, *, head: bool) -> None:
        super().__init__()
        self.body = nn.Linear(2, width)
        self.head = nn.Linear(width, 3) if head else None


class Network(nn.Module):
    def __init__(self, *widths: int, head: bool = True) -> None:
        super().__init__()
        names = ["video", "audio"][: len(widths)]
        branches = [Branch(width, head=head) for width in widths]
        self.branches = nn.ModuleDict(dict(zip(names, branches, strict=True)))
        self.readout = nn.Linear(1, 1)


def saved(path: Path, network: Network) -> Path:
    torch.save(network.state_dict(), path)
    return path


def test_loads_both_branches_and_leaves_the_rest(tmp_path: Path) -> None:
    first, second, both = Network(4), Network(1, 5), Network(4, 5)
    sources = {"video": saved(tmp_path / "v", first), "audio": saved(tmp_path / "a", second)}
    before = both.readout.weight.clone()
    report = load_branches(both, sources)
    for loaded, source in (
        (both.branches["video"], first.branches["video"]),
        (both.branches["audio"], second.branches["audio"]),
    ):
        state, wanted = loaded.state_dict(), source.state_dict()
        assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    assert torch.equal(both.readout.weight, before)
    assert len(report["loaded"]) == 8 and report["left_out"] == []
    assert report["fresh"] == ["readout.weight", "readout.bias"]


def test_a_head_that_the_network_has_not_is_left_out(tmp_path: Path) -> None:
    report = load_branches(Network(4, head=False), {"video": saved(tmp_path / "v", Network(4))})
    assert report["loaded"] == ["branches.video.body.bias", "branches.video.body.weight"]
    assert report["left_out"] == ["branches.video.head.bias", "branches.video.head.weight"]


@pytest.mark.parametrize("other", [Network(4, head=False), Network(6)])
def test_what_does_not_fit_is_refused_and_nothing_loaded(tmp_path: Path, other: Network) -> None:
    network = Network(5, 4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    sources = {"video": saved(tmp_path / "v", Network(5))}
    state = {k.replace("video", "audio"): v for k, v in other.state_dict().items()}
    torch.save(state, tmp_path / "a")
    with pytest.raises(RunError, match=r"does not fit the audio branch.*, such as (body|head)\."):
        load_branches(network, sources | {"audio": tmp_path / "a"})
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
