"""The multiplicative layer against hand-worked numbers, a naive loop, and its limits."""

import math

import pytest
import torch
from torch import Tensor

from models.fusions import Multiplicative, MultiplyProbabilities
from models.tasks import Classification
from tests.models.fusions.helpers import count, with_logits, with_probabilities


def naive(p: Tensor, beta: float) -> Tensor:
    """Scores `(B, K)` from probabilities `(M, B, K)`, one number at a time."""
    modalities, batch, classes = p.shape
    scores = torch.zeros(batch, classes, dtype=p.dtype)
    for b in range(batch):
        for y in range(classes):
            for i in range(modalities):
                q = 1.0
                for j in range(modalities):
                    if j != i:
                        q *= (1 - float(p[j, b, y])) ** (beta / (modalities - 1))
                scores[b, y] += q * math.log(float(p[i, b, y]))
    return scores


def test_by_hand() -> None:
    readout = Multiplicative([1, 1], outputs=2, beta=0.5)
    prediction = readout(with_probabilities([[0.75, 0.25]], [[0.36, 0.64]]))
    first = 0.8 * math.log(0.75) + 0.5 * math.log(0.36)
    second = 0.6 * math.log(0.25) + math.sqrt(0.75) * math.log(0.64)
    wanted = torch.tensor([[first, second]], dtype=torch.float64)
    torch.testing.assert_close(prediction.scores, wanted)
    loss = readout.loss(prediction, {"label": torch.tensor([1])}, Classification.criterion)["total"]
    torch.testing.assert_close(loss, -wanted[0, 1])
    own = readout.loss(
        prediction._replace(scores=prediction.parts["audio"]),
        {"label": torch.tensor([0])},
        Classification.criterion,
    )
    torch.testing.assert_close(own["total"], torch.tensor(-0.5 * math.log(0.36)).double())
    assert count(readout) == 0


@pytest.mark.parametrize("modalities", [2, 3, 4])
def test_any_number_of_branches_against_the_naive_loop(modalities: int) -> None:
    logits = torch.randn(modalities, 5, 4, dtype=torch.float64)
    readout = Multiplicative([1] * modalities, outputs=4)
    log_p = readout.log_probabilities({str(i): x for i, x in enumerate(logits)})
    scores = (readout.weights(log_p) * log_p).sum(0)
    torch.testing.assert_close(scores, naive(logits.softmax(2), 0.3))


def test_beta_zero_is_plain_multiplication() -> None:
    branches = with_logits(*torch.randn(3, 5, 4, dtype=torch.float64))
    scores = Multiplicative([1] * 3, outputs=4, beta=0)(branches).scores
    product = MultiplyProbabilities([1] * 3, outputs=4)(branches).scores
    torch.testing.assert_close(scores.log_softmax(1), product)
    alone = sum(out.logits.log_softmax(1) for out in branches.values() if out.logits is not None)
    torch.testing.assert_close(scores, alone)


def test_the_gradient_is_that_with_constant_weights() -> None:
    logits = torch.randn(2, 5, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, 0])
    readout = Multiplicative([1, 1], outputs=4)
    readout.loss(readout(with_logits(*logits)), {"label": labels}, Classification.criterion)[
        "total"
    ].backward()
    p = logits.detach().softmax(2)
    constant = (1 - p.flip(0)) ** 0.3  # q of one branch is made of the other's p
    (expected,) = torch.autograd.grad(
        -(constant * logits.log_softmax(2)).sum(0)[range(5), labels].mean(), logits
    )
    torch.testing.assert_close(logits.grad, expected)
    moving = (1 - logits.softmax(2).flip(0)) ** 0.3
    (other,) = torch.autograd.grad(
        -(moving * logits.log_softmax(2)).sum(0)[range(5), labels].mean(), logits
    )
    assert not torch.allclose(logits.grad, other)


def test_certainty_is_clamped() -> None:
    logits = torch.tensor([[200.0, 0.0], [200.0, 0.0]]).unsqueeze(1).requires_grad_()
    readout = Multiplicative([1, 1], outputs=2)
    prediction = readout(with_logits(*logits))
    readout.loss(prediction, {"label": torch.tensor([1])}, Classification.criterion)[
        "total"
    ].backward()
    assert prediction.scores.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert prediction.scores.argmax() == 0


def test_a_branch_counts_less_where_the_other_is_sure() -> None:
    readout = Multiplicative([1, 1], outputs=2)
    log_p = torch.tensor([[[0.5, 0.5]], [[0.9, 0.1]]]).log()
    weights = readout.weights(log_p)
    assert weights[0, 0, 0] < weights[1, 0, 0]


@pytest.mark.parametrize(
    ("sizes", "settings", "message"),
    [
        ([4], {"outputs": 2}, "expected two or more, got 1"),
        ([4, 4], {"outputs": 2, "beta": -1}, "beta of 0 or more, got -1"),
        ([4, 4], {"outputs": 1}, "two classes or more, got outputs=1"),
    ],
)
def test_what_it_refuses(sizes: list[int], settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Multiplicative(sizes, **settings)  # type: ignore[arg-type]
