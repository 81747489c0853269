"""Multiplicative combination: late fusion that trusts a branch less where the others are sure.

Legend: B samples, M branches, K classes.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbones import BranchOutput
from models.contracts import Batch, Criterion, Losses, Prediction
from models.fusions.readout import ProbabilityReadout, branch_logits

SMALLEST = 1e-7  # of 1 - p; about the step of float32 below 1


class Multiplicative(ProbabilityReadout):
    """The multiplicative layer of Liu et al. (arXiv 1805.11730), as Table 1 uses it.

    With `p_i` the softmax of branch i, the weight of class y is

        q_i^y = prod over j != i of (1 - p_j^y) ^ (beta / (M - 1))

    taken as a constant: no gradient passes through it, so a branch is down-weighted where the
    others predict y already. The training loss is `-sum_i q_i^y log p_i^y` at the true class, and
    the prediction is the class with the smallest such loss, so both follow from

        scores^y = sum_i q_i^y log p_i^y

    The scores are no log-probabilities, they do not sum to one. `beta=0` is the plain product.
    `parts` are the branches' own terms `q_i^y log p_i^y`, of which `loss` is the loss likewise.

    It has no parameters: the network has 25,916,080 on RAVDESS, the paper's 25.92M. Whether the
    paper trains the two networks with this loss is not said; here it does.

    Args:
        feature_sizes: F of each branch; only their number matters here.
        outputs: K, the classes.
        beta: how much the others' certainty counts; 0.3 in Table 1.

    Raises:
        ValueError: for a single branch, fewer than two classes, or a negative beta.
    """

    def __init__(self, feature_sizes: Sequence[int], *, outputs: int, beta: float = 0.3) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        if len(feature_sizes) < 2:
            raise ValueError(
                f"a branch is weighed by the others: expected two or more, got {len(feature_sizes)}"
            )
        if beta < 0:
            raise ValueError(f"expected beta of 0 or more, got {beta}")
        self.beta = beta

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        log_p = self.log_probabilities(branch_logits(branches))  # (M, B, K)
        terms = self.weights(log_p) * log_p  # (M, B, K)
        return Prediction(terms.sum(0), dict(zip(branches, terms, strict=True)))  # (B, K)

    def weights(self, log_p: Tensor) -> Tensor:
        """Return the constants `q` `(M, B, K)` for the log-probabilities `(M, B, K)`."""
        rest = -torch.expm1(log_p.detach())  # 1 - p, exact also where p is close to 1
        log_rest = rest.clamp_min(SMALLEST).log()
        others = log_rest.sum(0) - log_rest
        return torch.exp(self.beta / (len(log_p) - 1) * others)

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the loss of the paper that it is from, whatever the task's criterion."""
        return {"total": F.nll_loss(prediction.scores, batch["label"])}

    def extra_repr(self) -> str:
        return f"beta={self.beta}"
