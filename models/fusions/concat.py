"""Concatenation and fully connected layers: the plain early fusion.

Legend: B samples, M branches, F_m features of branch m, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import nn

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import Readout, check_features


class ConcatHead(Readout):
    """Features side by side, one hidden layer, classes (Table 1, "Concat + FC").

    `scores = W_2 relu(W_1 [f_1, ..., f_M] + b_1) + b_2`. On RAVDESS 3712 -> 256 -> 8 has 952,584
    parameters, and the network 26,868,664 counted with the heads of the unimodal networks, which
    it does not use: the paper's 26.87M. Without these heads, as it is built here unless
    `all_heads` asks for them, it is 26,838,952. The paper gives no sizes; 256 is the round number
    that meets its count, and dropout, of which it says nothing, is left out.

    Args:
        feature_sizes: F_m of each branch, in the order of the branches.
        outputs: K, the classes.
        hidden: size of the hidden layer.

    Raises:
        ValueError: for a hidden layer without units; in use, for features of other sizes.
    """

    uses: ClassVar[Literal["logits", "features"]] = "features"

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int, hidden: int = 256) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        if hidden < 1:
            raise ValueError(f"expected one hidden unit or more, got hidden={hidden}")
        self.layers = nn.Sequential(
            nn.Linear(sum(feature_sizes), hidden), nn.ReLU(), nn.Linear(hidden, outputs)
        )

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        features = [out.features for out in branches.values()]  # (B, F_m) each
        check_features(features, self.feature_sizes)
        return Prediction(self.layers(torch.cat(features, 1)), {})  # (B, K)
