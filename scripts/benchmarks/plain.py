"""Two plain ways to write MSAF down from its equations, to measure the module against.

Shapes: B batch, C_m channels of modality m in n_m blocks of C channels, N blocks of all modalities,
``*`` the spatial axes. C must divide every C_m here, which asks less of them than of the module.
"""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn


class Plain(nn.Module):
    """Equations 1 to 5, with a linear layer for each block."""

    def __init__(self, in_channels: Sequence[int], block_channels: int, reduction: int) -> None:
        super().__init__()
        self.block_channels = block_channels
        self.lowest_attention = 0.0
        self.blocks = [channels // block_channels for channels in in_channels]
        width = block_channels // reduction
        self.join = nn.Sequential(
            nn.Linear(block_channels, width), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.highlight = nn.ModuleList(
            nn.Linear(width, block_channels) for _ in range(sum(self.blocks))
        )

    def copy_weights(self, module: nn.Module) -> None:
        """Take the weights of a module that has one linear layer for all blocks."""
        state = module.state_dict()
        for name in ("weight", "bias"):
            parts = state.pop(f"highlight.{name}").split(self.block_channels)
            state |= {f"highlight.{i}.{name}": part for i, part in enumerate(parts)}
        places = {"join": "join.0", "norm": "join.1"}
        for name in list(state):
            layer, _, rest = name.partition(".")
            if layer in places:
                state[f"{places[layer]}.{rest}"] = state.pop(name)
        self.load_state_dict(state)

    def gates(self, sums: Sequence[Tensor]) -> Tensor:
        """Turn the block sums of each modality, ``(B, C, *)``, into gates ``(B, N, C)``."""
        means = [s.mean(tuple(range(2, s.ndim))) if s.ndim > 2 else s for s in sums]
        joint = self.join(reduce(torch.add, means))  # (B, C')
        logits = torch.stack([linear(joint) for linear in self.highlight], dim=1)  # (B, N, C)
        return self.lowest_attention + (1 - self.lowest_attention) * logits.softmax(dim=1)


class ReshapedBlocks(Plain):
    """Reshape every map into blocks, sum them, average, multiply, reshape back."""

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Fuse ``(B, C_m, *)`` of each modality."""
        blocks = [
            x.reshape(x.shape[0], count, self.block_channels, *x.shape[2:])  # (B, n_m, C, *)
            for x, count in zip(features, self.blocks, strict=True)
        ]
        gates = self.gates([block.sum(1) for block in blocks]).split(self.blocks, dim=1)
        return [
            (block * gate.reshape(gate.shape + (1,) * (block.ndim - 3))).reshape(x.shape)
            for x, block, gate in zip(features, blocks, gates, strict=True)
        ]


class ListedBlocks(Plain):
    """Split every map into a list of blocks, add them up, multiply one by one, concatenate."""

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Fuse ``(B, C_m, *)`` of each modality."""
        blocks = [x.split(self.block_channels, dim=1) for x in features]  # n_m of (B, C, *)
        gates = iter(self.gates([reduce(torch.add, parts) for parts in blocks]).unbind(1))
        fused = []
        for parts in blocks:
            ones = (1,) * (parts[0].ndim - 2)
            scaled = [part * next(gates).reshape(*part.shape[:2], *ones) for part in parts]
            fused.append(torch.cat(scaled, dim=1))
        return fused
