"""Faster layouts and compilation: the same network, and part of what a run is."""

import copy

import pytest
import torch
from torch import nn

from experiments.runs.folder import RunError
from experiments.runs.speed import hasten, set_precision
from tests.experiments.conftest import MakeRun


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {"video": nn.Conv3d(3, 8, 3), "map": nn.Conv2d(4, 8, 3), "fc": nn.Linear(8, 2)}
    )


def test_channels_last_keeps_names_and_values_and_what_is_computed() -> None:
    plain = network()
    fast = copy.deepcopy(plain)
    hasten(fast, channels_last=True)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, fast.state_dict()[name]), name
    assert fast["video"].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert fast["map"].weight.is_contiguous(memory_format=torch.channels_last)
    assert not fast["video"].weight.is_contiguous()
    x = torch.randn(2, 3, 4, 6, 6)
    torch.testing.assert_close(fast["video"](x), plain["video"](x))
    fast.load_state_dict(plain.state_dict())
    assert fast["video"].weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_compilation_waits_for_the_first_batch_and_keeps_names() -> None:
    plain = network()
    fast = copy.deepcopy(plain)
    hasten(fast, compile=True)
    assert fast.state_dict().keys() == plain.state_dict().keys()
    assert fast._compiled_call_impl is not None
    assert plain._compiled_call_impl is None


def test_flags_count_where_they_are_on(make_run: MakeRun) -> None:
    overrides = ["fusion=none", "modalities=[audio]", "epochs=1"]
    plain, off, on = (
        make_run(*overrides, *w) for w in ([], ["channels_last=false"], ["channels_last=true"])
    )
    assert plain.hash == off.hash != on.hash
    assert "channels_lastTrue" in on.folder.path.parents[1].name
    assert on.complete().complete


def test_how_products_round_is_part_of_what_a_run_is(make_run: MakeRun) -> None:
    overrides = ["fusion=none", "modalities=[audio]", "epochs=1"]
    plain, same = (
        make_run(*overrides, *more)
        for more in ([], ["matmul_precision=highest", "cudnn_tf32=true", "trainer.benchmark=false"])
    )
    others = [
        make_run(*overrides, text)
        for text in ("matmul_precision=high", "cudnn_tf32=false", "trainer.benchmark=true")
    ]
    assert plain.hash == same.hash
    assert len({plain.hash, *(run.hash for run in others)}) == 4
    try:
        others[0].complete()
        assert torch.get_float32_matmul_precision() == "high"
        others[1].complete()
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.backends.cudnn.allow_tf32
    finally:
        set_precision()
    assert torch.backends.cudnn.allow_tf32  # torch's own default
    with pytest.raises(RunError, match="matmul_precision=tf32: choose highest, high or medium"):
        make_run(*overrides, "matmul_precision=tf32").complete()
