"""Tensor fusion network: the outer product of all modalities.

Legend: B samples, F features.
"""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.encoders import EncodedNetwork
from models.contracts import Batch, Prediction

STRONGEST = 3.0  # sentiment lies in [-3, 3]


def outer_product(features: Sequence[Tensor]) -> Tensor:
    """Return `[1, x_1] ⊗ [1, x_2] ⊗ ...`, flattened: every product of up to one feature of each.

    Args:
        features: `(B, F_m)` of every modality.

    Returns:
        `(B, (F_1 + 1) (F_2 + 1) ...)`; the last modality's index moves fastest.
    """
    product: Tensor | None = None
    for x in features:
        longer = F.pad(x, (1, 0), value=1.0)  # (B, F + 1)
        if product is None:
            product = longer
        else:
            product = torch.einsum("bi,bj->bij", product, longer).flatten(1)
    assert product is not None
    return product


class TFN(EncodedNetwork):
    """Tensor fusion network (Zadeh et al. 2017; Table 2, "TFN").

    Card. Known from the published code of TFN and its re-run on MOSEI (MMSA): the encoders, the
    leading 1, the outer product, dropout, the three linear layers and the sigmoid that is
    stretched to [-3, 3]; there L1, Adam 5e-3, batch 128, dropout 0.4 throughout, sizes as in
    `configs/fusion/tfn.yaml`. At 35, 74 and 768 features it has 5,042,539 parameters (5,042,541
    there, where the two constants 6 and -3 count). The paper quotes its row from another paper,
    with settings unknown.
    Chosen by us: means over the real steps alone and the LSTM's state at the last word piece, not
    in the padding; dropout also on the text, which an implementation sets to zero by mistake; a
    fixed number of epochs, with the epoch chosen by the reporting rule, for early stopping.

    Args:
        features: see `SentimentNetwork`.
        hidden: see `EncodedNetwork`.
        text_outputs: see `EncodedNetwork`.
        fusion_hidden: size of the two layers behind the outer product.
        dropout: of every encoder and of the outer product.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: Mapping[str, int],
        text_outputs: int,
        fusion_hidden: int,
        dropout: float,
    ) -> None:
        super().__init__(
            features,
            hidden=hidden,
            text_outputs=text_outputs,
            dropout=dropout,
        )
        product = math.prod(size + 1 for size in self.encoded_sizes)
        self.readout = nn.Sequential(
            nn.Dropout(dropout),
            *(nn.Linear(product, fusion_hidden), nn.ReLU()),
            *(nn.Linear(fusion_hidden, fusion_hidden), nn.ReLU()),
            nn.Linear(fusion_hidden, 1),
        )

    def forward(self, batch: Batch) -> Prediction:
        raw = self.readout(outer_product(self.encode(batch)))  # (B, 1)
        return Prediction(STRONGEST * (2 * raw.sigmoid() - 1), {})
