"""Crossmodal attention: every modality looks at the others, a mid-level fusion.

Legend: B samples, M modalities, C_m channels of modality m, D width, n_m tokens; `*` stands for
any spatial axes, or none, and may differ per modality.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from models.fusions.tokens import TokenFusion, Tokens
from msaf.checks import JoinMean, Masks


class CrossmodalLayer(nn.Module):
    """One layer of a crossmodal transformer (Tsai et al. 2019, section 3.2).

    With `q` tokens of the target and `s` of the source, and N a layer norm,

        z = q + attention(N(q), N(s), N(s)),    output N''(z + W_2 relu(W_1 N'(z))).

    As in the released code both sides pass the same norm, the sums are of what stands before the
    norms (in the paper behind them), and a norm stands at the end.

    Args:
        width: D.
        heads: of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )
        self.end = nn.LayerNorm(width)

    def forward(self, target: Tensor, source: Tokens) -> Tensor:
        """Return the target `(B, n, D)` after a look at the source, `(B, n', D)`."""
        keys = self.norm(source.values)
        seen, _ = self.attention(
            self.norm(target), keys, keys, key_padding_mask=source.padding, need_weights=False
        )
        looked = target + seen  # (B, n, D)
        return self.end(looked + self.feedforward(looked))


class CrossmodalAttention(TokenFusion):
    """Crossmodal transformers between all pairs (MulT, Tsai et al. 2019, section 3.2).

    The source projects each modality's sequence to one width, lets each target m attend to each
    other modality k by a transformer of its own, and puts the results of all k side by side.

        y_m = x_m + V_m [z_m1, ..., z_mM], without z_mm,    z_mk = layer_mk(P_m x_m, P_k x_k)

    Chosen by us, to bring it to a fusion point: a map becomes at most `tokens` tokens, the means of
    the cells of a grid (`to_tokens`), so that a video costs no more than that; each position gets
    what its cell got. `V_m` brings the width back to the channels and is zero at first, so that
    features are unchanged then. One layer a pair (`layers` of the source: 4), width and heads as in
    `bottleneck`, and the feature's own scale is left to the norms. There are no position codes,
    since the convolutions and LSTMs before have them. The transformer that the source has behind
    the pairs is left out: the stages of the branch follow. No dropout.
    Padding steps are attended to unless `join_mean` says otherwise, as in the released code, and as
    MMTM's means contain them.

    Args:
        in_channels: C_m of each modality, in the order of the inputs.
        width: D.
        heads: of each attention; they divide the width.
        tokens: of each modality, at most.
        join_mean: `masked` leaves padding out of the tokens' means, and attends to no token of
            padding alone; `all` does neither. As of `msaf.MSAF`.

    Raises:
        ValueError: for fewer than two modalities, or arguments outside their range; in use, for
            features that do not fit.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        width: int = 64,
        heads: int = 4,
        tokens: int = 64,
        join_mean: JoinMean = "all",
    ) -> None:
        others = len(in_channels) - 1
        super().__init__(
            in_channels,
            width=width,
            heads=heads,
            tokens=tokens,
            returned=others * width,
            join_mean=join_mean,
        )
        self.targets = nn.ModuleList(
            nn.ModuleList(CrossmodalLayer(width, heads) for _ in range(others)) for _ in in_channels
        )

    def forward(self, features: Sequence[Tensor], masks: Masks | None = None) -> list[Tensor]:
        """Add to each modality what it sees in the others: new `(B, C_m, *)`, shapes kept."""
        read = self.read(features, masks)
        targets = cast(Sequence[Sequence[CrossmodalLayer]], self.targets)
        seen = []
        for m, own in enumerate(read):
            pairs = zip(targets[m], [*read[:m], *read[m + 1 :]], strict=True)
            seen.append(torch.cat([layer(own.values, source) for layer, source in pairs], 2))
        return self.write(features, seen, read)
