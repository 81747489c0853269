"""Multiplication: a late fusion in which every branch holds a veto; it trains nothing.

Legend: B samples, M branches, K classes.
"""

from collections.abc import Mapping

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import ProbabilityReadout, branch_logits


class MultiplyProbabilities(ProbabilityReadout):
    """Product of the branches' class probabilities (Table 1, "Multiplication").

    `scores^y = sum_i log p_i^y - log Z` with `p_i` the softmax of branch i and Z the sum over the
    classes, so that the cross entropy on them is the NLL of the product. By arithmetic
    this is the softmax of the *summed logits*: the readout of the paper's own network, on unimodal
    networks that were never trained together (`fusion=sum` trains them together).

    It has no parameters: the network has 25,916,080 on RAVDESS, the paper's 25.92M.
    """

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        parts = branch_logits(branches)
        log_p = self.log_probabilities(parts)  # (M, B, K)
        return Prediction(log_p.sum(0).log_softmax(1), parts)  # (B, K)
