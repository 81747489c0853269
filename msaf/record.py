"""Recording the attention of every MSAF block in a network, for figures and analyses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from msaf.module import MSAF


@contextmanager
def record_attention(network: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Keep the attention of each forward pass while the context is open.

    Args:
        network: any module with MSAF blocks in it, or such a block itself.

    Yields:
        For each block, under its name in the network (the empty name where the network is the
        block), a list with one detached tensor per forward pass: ``(B, blocks, C)``, or with
        segments ``(B, segments, blocks, C)``; equation 4, before lambda and BlockDropout.
        ``blocks_per_modality`` of the block says which blocks belong to which modality.

    Raises:
        ValueError: the network is compiled, and so would not call what records.
    """
    maps: dict[str, list[Tensor]] = {}
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if hasattr(module, "_orig_mod") or module._compiled_call_impl is not None:
                raise ValueError(
                    f"{type(module).__name__} {name!r} is compiled; record on the network as it "
                    f"was before torch.compile, which shares its weights"
                )
            if isinstance(module, MSAF):
                maps[name] = []
                handle = module.softmax.register_forward_hook(_keep(maps[name]))
                hooks.callback(handle.remove)
        yield maps


def _keep(kept: list[Tensor]) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(module: nn.Module, inputs: Any, attention: Tensor) -> None:
        kept.append(attention.detach())

    return hook
