"""Averaging: the oldest late fusion, which trains nothing.

Legend: B samples, M branches, K classes.
"""

import math
from collections.abc import Mapping

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import ProbabilityReadout, branch_logits


class AverageProbabilities(ProbabilityReadout):
    """Mean of the branches' class probabilities (Table 1, "Averaging").

    `scores^y = log(1/M sum_i p_i^y)` with `p_i` the softmax of branch i. The scores are normalised
    log-probabilities, so the cross entropy on them is the NLL of the mean.

    It has no parameters: the network has 25,916,080 on RAVDESS, the paper's 25.92M. The paper does
    not say whether logits or probabilities are averaged, nor whether the networks are trained any
    further; here probabilities are, of the unimodal networks as they are.
    """

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        parts = branch_logits(branches)
        log_p = self.log_probabilities(parts)  # (M, B, K)
        return Prediction(log_p.logsumexp(0) - math.log(len(parts)), parts)  # (B, K)
