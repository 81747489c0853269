"""The MSAF module: the paper's section 3.

Shapes: B batch, C_m channels of modality m, C channels of a block, C' = floor(C / r) of the joint
representation, N blocks of all modalities, ``*`` the spatial axes. ``[q]`` is the axis of the q
segments, absent where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from torch import Tensor, nn

from msaf.blocks import BlockGate, GateArguments
from msaf.checks import JoinMean, Masks
from msaf.segments import SegmentNorm, linear


class MSAF(BlockGate):
    """Multimodal Split Attention Fusion (Su et al., arXiv 2012.07175, equations 1 to 6).

    Takes one ``(B, C_m, *)`` per modality and returns the same, each channel scaled by its
    attention. With ``n_m = ceil(C_m / C)`` blocks a modality, it holds
    ``q * (C * C' + 3 * C' + sum(n_m) * (C' * C + C))`` parameters, whatever the size of the maps.

    Args:
        in_channels: the channels C_m of each modality; any number of modalities.
        block_channels: the channels C of a block; as a float up to 1.0, a share of
            min(C_1, ..., C_M), rounded down; ``"auto"``, the default, for half of it (section
            5.5). Table 4 varies a quarter, a half and all of it. A last block that lacks channels
            is filled up with zeros.
        reduction: r of equation 2. The paper advises 4 for two modalities and 2 for three.
        lowest_attention: lambda of equation 5, in [0, 1]; 1 switches the attention off.
        block_dropout: probability that a block is dropped in training (section 3.1), in [0, 1).
        segments: q of section 3.2. Each segment of the sequence has weights, batch-norm
            statistics and dropped blocks of its own.
        dropout_form: ``paper``, or ``released`` as the authors' code does it (``BlockDropout``).
        dropout_mask: one mask per ``sample``, or per ``batch`` as in the authors' older code.
        join_mean: the mean of equation 1 over ``all`` positions, as in the paper, or over those of
            the ``masked`` steps alone that ``forward`` is told to be no padding; 0 where a segment
            has none. An option of ours for sequences of different lengths.

    Raises:
        ValueError: an argument is outside its range, or the reduction leaves no channel.

    Example:
        >>> fuse = MSAF([1024, 32])  # blocks of 16 channels, half of the fewest
        >>> video, audio = fuse([torch.randn(4, 1024, 4, 14, 14), torch.randn(4, 32, 208)])
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        reduction: int = 4,
        join_mean: JoinMean = "all",
        **gate: Unpack[GateArguments],
    ) -> None:
        super().__init__(in_channels, **gate)
        if join_mean not in get_args(JoinMean):
            raise ValueError(f"join_mean is one of {get_args(JoinMean)}, got {join_mean!r}")
        if not 1 <= reduction <= self.block_channels:
            raise ValueError(
                f"reduction is between 1 and block_channels ({self.block_channels}), so that a "
                f"channel is left of the joint representation; got {reduction}"
            )
        self.reduction = reduction
        self.join_mean = join_mean
        width = self.block_channels // reduction
        self.join = linear(self.segments, self.block_channels, width)
        self.norm = SegmentNorm(self.segments * width)
        self.highlight = linear(self.segments, width, self.blocks * self.block_channels)
        self.softmax = nn.Softmax(dim=-2)

    def attend(
        self, features: Sequence[Tensor], factor: Tensor | None, masks: Masks | None = None
    ) -> Tensor:
        """Equations 1 to 4: the attention ``(B, [q], N, C)``, summing to one over the N blocks."""
        means = self.split_means(features, masks)  # (B, [q], N, C)
        if factor is not None:
            means = means * factor
        descriptor = means.sum(-2).to(self.norm.weight.dtype)  # G, (B, [q], C)
        joint = self.norm(self.join(descriptor)).relu()  # Z, (B, [q], C')
        logits = self.highlight(joint).to(means.dtype)  # U, (B, [q], N * C)
        return self.softmax(logits.view(means.shape))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, reduction={self.reduction}"
