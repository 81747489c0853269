"""The readout of the sentiment task: concatenation and one linear layer.

Legend: B samples, F_m features of branch m.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import nn

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import Readout, check_features


class RegressionHead(Readout):
    """Features side by side, dropout, one linear layer to the predicted value (paper 4.2).

    The paper's network concatenates 32 + 64 + 128 features and has no dropout there; the released
    unimodal networks have 0.1. Trained by the task's mean squared error.

    Args:
        feature_sizes: F_m of each branch, in the order of the branches.
        outputs: 1.
        dropout: probability that a feature is dropped.

    Raises:
        ValueError: for more outputs than one; in use, for features of other sizes.
    """

    uses: ClassVar[Literal["logits", "features"]] = "features"
    heads_beside: ClassVar[bool] = False

    def __init__(
        self, feature_sizes: Sequence[int], *, outputs: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        if outputs != 1:
            raise ValueError(f"a regression has one output, got outputs={outputs}")
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(sum(feature_sizes), 1))

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        features = [out.features for out in branches.values()]  # (B, F_m) each
        check_features(features, self.feature_sizes)
        return Prediction(self.layers(torch.cat(features, 1)), {})  # (B, 1)
