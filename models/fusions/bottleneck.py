"""Attention bottlenecks: modalities exchange through a few shared tokens, a mid-level fusion.

Legend: B samples, M modalities, C_m channels of modality m, D width, n_m tokens, b bottlenecks;
`*` stands for any spatial axes, or none, and may differ per modality.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from models.fusions.tokens import TokenFusion, Tokens
from msaf.checks import JoinMean, Masks


class BottleneckAttention(TokenFusion):
    """Multimodal bottleneck transformer (MBT, Nagrani et al. 2021, section 3.2).

    In each layer l every modality has a transformer layer of its own over its tokens and the
    bottlenecks, and the bottlenecks of all modalities are averaged:

        [z_m, f_m] = layer_lm([z_m, f]),    f = mean over m of f_m.

    What one modality learns of another has passed the bottlenecks, in the layer after the one that
    wrote it there, so that there are two layers or more.

    Chosen by us, to bring it to a fusion point: a map becomes at most `tokens` tokens, the means of
    the cells of a grid (`to_tokens`), so that a video costs no more than that; each position gets
    what its cell got. `z_m` is a linear map of the tokens, and at the end
    `y_m = x_m + V_m N(z_m)`, with `V_m` zero at first: features are unchanged then. Four
    bottlenecks as in the source; two layers, width 64 and four heads, where the source has a vision
    transformer's (768, 12) in the last four of twelve. Layers have the norm in front, GELU and four
    times the width between, as there. No dropout, no stochastic depth; no position codes, since the
    convolutions and LSTMs before have them. Bottlenecks start from N(0, 0.02^2).
    Padding steps are attended to unless `join_mean` says otherwise, as MMTM's means contain them;
    the source has inputs of one length.

    Args:
        in_channels: C_m of each modality, in the order of the inputs.
        width: D.
        heads: of each attention; they divide the width.
        layers: two or more.
        bottlenecks: b.
        tokens: of each modality, at most.
        join_mean: `masked` leaves padding out of the tokens' means, and attends to no token of
            padding alone; `all` does neither. As of `msaf.MSAF`.

    Raises:
        ValueError: for arguments outside their range; in use, for features that do not fit.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        bottlenecks: int = 4,
        tokens: int = 64,
        join_mean: JoinMean = "all",
    ) -> None:
        super().__init__(
            in_channels,
            width=width,
            heads=heads,
            tokens=tokens,
            returned=width,
            join_mean=join_mean,
        )
        if layers < 2 or bottlenecks < 1:
            raise ValueError(
                "expected two layers or more, for in one nothing is exchanged, and one bottleneck "
                f"or more, got layers={layers}, bottlenecks={bottlenecks}"
            )
        self.bottlenecks = nn.Parameter(torch.empty(bottlenecks, width).normal_(std=0.02))
        self.layers = nn.ModuleList(
            nn.ModuleList(_layer(width, heads) for _ in in_channels) for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in in_channels)

    def forward(self, features: Sequence[Tensor], masks: Masks | None = None) -> list[Tensor]:
        """Add to each modality what came through the bottlenecks: new `(B, C_m, *)`."""
        read = self.read(features, masks)
        states = [tokens.values for tokens in read]  # (B, n_m, D) each
        shared = self.bottlenecks.to(states[0].dtype).expand(
            states[0].shape[0], -1, -1
        )  # (B, b, D)
        padding = [_beside(shared, tokens) for tokens in read]  # (B, b + n_m) each
        for layer in cast(Sequence[Sequence[nn.Module]], self.layers):
            both = [
                own(torch.cat([shared, state], 1), src_key_padding_mask=pad)  # (B, b + n_m, D)
                for own, state, pad in zip(layer, states, padding, strict=True)
            ]
            states = [x[:, shared.shape[1] :] for x in both]
            shared = torch.stack([x[:, : shared.shape[1]] for x in both]).mean(0)
        updates = [norm(state) for norm, state in zip(self.norms, states, strict=True)]
        return self.write(features, updates, read)


def _beside(shared: Tensor, tokens: Tokens) -> Tensor | None:
    """Say which of the bottlenecks, which are never, and the tokens of a modality are padding."""
    if tokens.padding is None:
        return None
    return torch.cat([tokens.padding.new_zeros(shared.shape[:2]), tokens.padding], 1)


def _layer(width: int, heads: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
