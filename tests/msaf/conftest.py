from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from msaf import MSAF
from tests.msaf.naive import Build, DrawnMask


@pytest.fixture(autouse=True)
def reproducible() -> Iterator[None]:
    """One seed, and one thread: the tensors are small and the tests run side by side."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def build() -> Build:
    """A float64 MSAF whose attention is far from uniform and whose running statistics are set."""

    def make(in_channels: list[int], **settings: Any) -> MSAF:
        module = MSAF(in_channels, **settings).double()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.5)
            module.norm.running_mean.normal_()
            module.norm.running_var.uniform_(0.5, 2)
        return module

    return make


@pytest.fixture
def drawn_mask() -> DrawnMask:
    """Returns the masks that a module's BlockDropout draws, as (B or 1, q, N) zeros and ones."""

    def watch(module: MSAF) -> list[Tensor]:
        masks = []

        def keep(_module: nn.Module, _inputs: Any, factors: Any) -> None:
            mask = (factors[0] > 0).double().squeeze(-1)
            masks.append(mask if module.segments > 1 else mask.unsqueeze(1))

        module.dropout.register_forward_hook(keep)
        return masks

    return watch
