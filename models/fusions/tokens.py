"""Maps of any size as a few tokens, and back: what fusions by attention share.

Legend: B samples, C channels, S positions of a map, n tokens, D width; `*` stands for any spatial
axes, or none.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.fusions.maps import check_channels, check_maps
from msaf.checks import JoinMean, Masks, check_masks


def token_grid(sizes: Sequence[int], most: int) -> list[int]:
    """Return into how many parts each axis is cut: the longest is halved until `most` cells do."""
    grid = list(sizes)
    while prod(grid) > most:
        longest = grid.index(max(grid))
        grid[longest] = -(-grid[longest] // 2)
    return grid


class Tokens(NamedTuple):
    """A map as tokens.

    Args:
        values: `(B, n, C)`, the means of the map's cells, in the order of its axes.
        cells: of each position, `(S,)`; `None` where every position is a token of its own.
        padding: which tokens have no true step, `(B, n)`; `None` where all have. One of each
            sample is never said to be, for attention needs something to look at.
    """

    values: Tensor
    cells: Tensor | None
    padding: Tensor | None


def to_tokens(x: Tensor, most: int, mask: Tensor | None = None) -> Tokens:
    """Turn a map into at most so many tokens.

    Along an axis of s positions and g cells, position i is in cell `floor(i g / s)`.

    Args:
        x: `(B, C, *)`.
        most: above which positions are pooled.
        mask: `(B, T)`, true at the steps of the first spatial axis that are no padding: only these
            count in the means.
    """
    sizes = x.shape[2:]
    flat = x.reshape(*x.shape[:2], -1)  # (B, C, S)
    steps = None if mask is None else _at_positions(mask, sizes)  # (B, S)
    grid = token_grid(sizes, most)
    if grid == list(sizes):
        return Tokens(flat.transpose(1, 2), None, None if steps is None else _padding(~steps))
    cells = torch.zeros((), dtype=torch.long, device=x.device)
    for size, parts in zip(sizes, grid, strict=True):
        own = torch.arange(size, device=x.device) * parts // size
        cells = cells.unsqueeze(-1) * parts + own
    cells = cells.flatten()  # (S,)
    members = F.one_hot(cells, prod(grid)).to(x.dtype)  # (S, n)
    if steps is None:
        return Tokens((flat @ (members / members.sum(0))).transpose(1, 2), cells, None)
    kept = steps.to(x.dtype)
    counts = kept @ members  # (B, n)
    sums = (flat * kept.unsqueeze(1)) @ members  # (B, C, n)
    means = sums / counts.clamp(min=1).unsqueeze(1)
    return Tokens(means.transpose(1, 2), cells, _padding(counts == 0))


def _at_positions(mask: Tensor, sizes: Sequence[int]) -> Tensor:
    spread = mask[(..., *[None] * (len(sizes) - 1))]
    return spread.expand(mask.shape[0], *sizes).flatten(1)  # (B, S)


def _padding(padding: Tensor) -> Tensor:
    first = padding[:, :1] & ~padding.all(1, keepdim=True)
    return torch.cat([first, padding[:, 1:]], 1)


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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tokens:
        """Return the tokens of a map `(B, C, *)`, of the width: see `to_tokens`."""
        tokens = to_tokens(x, self.most, mask)
        return tokens._replace(
            values=self.project(tokens.values.to(self.project.weight.dtype))  # (B, n, D)
        )

    def add(self, x: Tensor, update: Tensor, cells: Tensor | None) -> Tensor:
        """Add to every position of a map what its token `(B, n, returned)` brings."""
        return x + to_map(self.give_back(update), cells, x)


class TokenFusion(nn.Module):
    """What fusions by attention share: a port for each modality, and masks if they are asked for.

    Args:
        in_channels: C_m of each modality, in the order of the inputs; two or more.
        width: D.
        heads: of each attention; they divide the width.
        tokens: of each modality, at most.
        returned: size of what comes back for each token.
        join_mean: `masked` leaves padding out of the tokens' means, and attends to no token of
            padding alone; `all` does neither. As of `msaf.MSAF`.

    Raises:
        ValueError: for fewer than two modalities, or arguments outside their range.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        width: int,
        heads: int,
        tokens: int,
        returned: int,
        join_mean: JoinMean,
    ) -> None:
        super().__init__()
        self.in_channels = check_channels(in_channels, least=2)
        check_attention(width, heads, tokens, join_mean)
        self.join_mean = join_mean
        self.ports = nn.ModuleList(
            TokenPort(channels, width=width, most=tokens, returned=returned)
            for channels in in_channels
        )

    @property
    def takes_masks(self) -> bool:
        """Whether `forward` may be given masks: with `join_mean="masked"` alone."""
        return self.join_mean == "masked"

    def read(self, features: Sequence[Tensor], masks: Masks | None) -> list[Tokens]:
        """Return the tokens of each modality's map `(B, C_m, *)`, of the width.

        Raises:
            ValueError: for features or masks that do not fit.
        """
        check_maps(features, self.in_channels)
        check_masks(masks, features, self.join_mean)
        told = masks or [None] * len(features)
        return [port(x, mask) for port, x, mask in zip(self.ports, features, told, strict=True)]

    def write(
        self, features: Sequence[Tensor], updates: Sequence[Tensor], read: Sequence[Tokens]
    ) -> list[Tensor]:
        """Add to each map what its tokens `(B, n_m, returned)` bring: new `(B, C_m, *)`."""
        ports = cast(Sequence[TokenPort], self.ports)
        return [
            port.add(x, update, tokens.cells)
            for port, x, update, tokens in zip(ports, features, updates, read, strict=True)
        ]


def check_attention(width: int, heads: int, tokens: int, join_mean: JoinMean) -> None:
    """Refuse settings that no attention can have.

    Raises:
        ValueError: names the argument.
    """
    if min(width, heads, tokens) < 1 or width % heads:
        raise ValueError(
            "expected width, heads and tokens of 1 or more, and heads that divide the width, got "
            f"width={width}, heads={heads}, tokens={tokens}"
        )
    if join_mean not in get_args(JoinMean):
        raise ValueError(f"join_mean is one of {get_args(JoinMean)}, got {join_mean!r}")
