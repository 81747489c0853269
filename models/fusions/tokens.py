"""Maps of any size as a few tokens, and back: what fusions by attention share.

Legend: B samples, C channels, S positions of a map, n tokens, D width; `*` stands for any spatial
axes, or none.
"""

from collections.abc import Sequence
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def token_grid(sizes: Sequence[int], most: int) -> list[int]:
    """Return into how many parts each axis is cut: the longest is halved until `most` cells do."""
    grid = list(sizes)
    while prod(grid) > most:
        longest = grid.index(max(grid))
        grid[longest] = -(-grid[longest] // 2)
    return grid


def to_tokens(x: Tensor, most: int) -> tuple[Tensor, Tensor | None]:
    """Turn a map into at most so many tokens, the means of its cells.

    Along an axis of s positions and g cells, position i is in cell `floor(i g / s)`.

    Args:
        x: `(B, C, *)`.
        most: above which positions are pooled.

    Returns:
        The tokens `(B, n, C)`, cells in the order of the axes, and the cell of each position
        `(S,)`; `None` for it where every position is a token of its own.
    """
    sizes = x.shape[2:]
    flat = x.reshape(*x.shape[:2], -1)  # (B, C, S)
    grid = token_grid(sizes, most)
    if grid == list(sizes):
        return flat.transpose(1, 2), None
    cells = torch.zeros((), dtype=torch.long, device=x.device)
    for size, parts in zip(sizes, grid, strict=True):
        own = torch.arange(size, device=x.device) * parts // size
        cells = cells.unsqueeze(-1) * parts + own
    cells = cells.flatten()  # (S,)
    members = F.one_hot(cells, prod(grid)).to(x.dtype)  # (S, n)
    return (flat @ (members / members.sum(0))).transpose(1, 2), cells


def to_map(tokens: Tensor, cells: Tensor | None, x: Tensor) -> Tensor:
    """Write tokens `(B, n, C)` at every position of their cells: a map with the shape of `x`."""
    flat = tokens.transpose(1, 2)  # (B, C, n)
    if cells is not None:
        flat = flat.index_select(2, cells)  # (B, C, S)
    return flat.reshape(x.shape).to(x.dtype)


class TokenPort(nn.Module):
    """Where a modality's map goes in as tokens of a width, and what was made of them comes out.

    The way out is zero at first: a map is unchanged until it is trained.

    Args:
        channels: C.
        width: D.
        most: n, at most; larger maps are pooled.
        returned: size of what comes back for each token.
    """

    def __init__(self, channels: int, *, width: int, most: int, returned: int) -> None:
        super().__init__()
        self.most = most
        self.project = nn.Linear(channels, width)
        self.give_back = nn.Linear(returned, channels)
        nn.init.zeros_(self.give_back.weight)
        nn.init.zeros_(self.give_back.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the tokens of a map `(B, C, *)`, `(B, n, D)`, and the cells of its positions."""
        tokens, cells = to_tokens(x, self.most)
        return self.project(tokens.to(self.project.weight.dtype)), cells

    def add(self, x: Tensor, update: Tensor, cells: Tensor | None) -> Tensor:
        """Add to every position of a map what its token `(B, n, returned)` brings."""
        return x + to_map(self.give_back(update), cells, x)


def check_attention(width: int, heads: int, tokens: int) -> None:
    """Refuse sizes that no attention can have.

    Raises:
        ValueError: names the argument.
    """
    if min(width, heads, tokens) < 1 or width % heads:
        raise ValueError(
            "expected width, heads and tokens of 1 or more, and heads that divide the width, got "
            f"width={width}, heads={heads}, tokens={tokens}"
        )
