"""Low-rank multimodal fusion: TFN's outer product under a weight tensor of low rank.

Legend: B samples, M modalities, F_m features, R rank, K outputs.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.baselines.encoders import EncodedNetwork
from models.baselines.tfn import outer_product
from models.contracts import Batch, Prediction


class LowRankFusion(nn.Module):
    """`y = sum_r w_r prod_m [1, x_m] W_m^r + b`: the outer product is never built.

    It is the linear map `<W, [1, x_1] ⊗ ... ⊗ [1, x_M]> + b` whose weight is the sum over r of
    `w_r W_1^r ⊗ ... ⊗ W_M^r`. All of `W_m`, `w` and `b` are trained; an implementation leaves the
    last two out of its optimizer by mistake.

    Args:
        feature_sizes: F_m.
        outputs: K.
        rank: R.

    Raises:
        ValueError: for a rank below one.
    """

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int, rank: int) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"expected a rank of 1 or more, got rank={rank}")
        self.factors = nn.ParameterList(
            torch.empty(rank, size + 1, outputs) for size in feature_sizes
        )
        self.rank_weights = nn.Parameter(torch.empty(1, rank))
        self.bias = nn.Parameter(torch.zeros(outputs))
        for weight in [*self.factors, self.rank_weights]:
            nn.init.xavier_normal_(weight)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Fuse `(B, F_m)` of every modality to `(B, K)`."""
        product: Tensor | None = None
        for x, factor in zip(features, self.factors, strict=True):
            projected = torch.einsum("bi,rik->brk", outer_product([x]), factor)  # (B, R, K)
            product = projected if product is None else product * projected
        return torch.einsum("r,brk->bk", self.rank_weights[0], product) + self.bias


class LMF(EncodedNetwork):
    """Low-rank multimodal fusion (Liu et al. 2018; Table 2, "LMF").

    Card. Known from the published code and its re-run on MOSEI (MMSA): TFN's encoders, the
    factors, their Xavier start, learned weights over the rank; there rank 4, L1, Adam 1e-3 with
    weight decay 1e-3, batch 32, dropout 0.2, sizes as in `configs/fusion/lmf.yaml`. At 35, 74 and
    768 features it has 508,475 parameters. The paper quotes its row from another paper, and its
    reference [30] is LMFN of Mai et al.; the row is most likely that of this network.
    Chosen by us: what `TFN` says of padding, of the text's dropout, and of the epochs.

    Args:
        features: see `SentimentNetwork`.
        hidden: see `EncodedNetwork`.
        text_outputs: see `EncodedNetwork`.
        rank: R.
        dropout: of every encoder.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: Mapping[str, int],
        text_outputs: int,
        rank: int,
        dropout: float,
    ) -> None:
        super().__init__(
            features,
            hidden=hidden,
            text_outputs=text_outputs,
            dropout=dropout,
        )
        self.readout = LowRankFusion(self.encoded_sizes, outputs=1, rank=rank)

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(self.readout(self.encode(batch)), {})  # (B, 1)
