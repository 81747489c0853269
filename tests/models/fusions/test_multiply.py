"""The product of probabilities, by hand, and that it is the softmax of the summed logits."""

import torch

from models.fusions import MultiplyProbabilities, SumLogits
from models.tasks import Classification
from tests.models.fusions.helpers import count, with_logits, with_probabilities


def test_by_hand() -> None:
    readout = MultiplyProbabilities([1, 1], outputs=3)
    branches = with_probabilities([[0.7, 0.2, 0.1]], [[0.1, 0.8, 0.1]])
    prediction = readout(branches)
    wanted = torch.tensor([[0.07, 0.16, 0.01]], dtype=torch.float64) / 0.24
    torch.testing.assert_close(prediction.scores.exp(), wanted)
    loss = readout.loss(prediction, {"label": torch.tensor([1])}, Classification.criterion)["total"]
    torch.testing.assert_close(loss, -(wanted[0, 1].log()))
    assert count(readout) == 0


def test_three_branches_against_the_naive_product() -> None:
    logits = torch.randn(3, 5, 4, dtype=torch.float64)
    product = logits.softmax(2).prod(0)
    scores = MultiplyProbabilities([1, 1, 1], outputs=4)(with_logits(*logits)).scores
    torch.testing.assert_close(scores.exp(), product / product.sum(1, keepdim=True))


def test_it_is_the_softmax_of_the_summed_logits() -> None:
    branches = with_logits(*torch.randn(2, 5, 4, dtype=torch.float64))
    summed = SumLogits([1, 1], outputs=4)(branches).scores
    scores = MultiplyProbabilities([1, 1], outputs=4)(branches).scores
    torch.testing.assert_close(scores, summed.log_softmax(1))


def test_it_stays_finite_where_the_product_underflows() -> None:
    logits = torch.tensor([[900.0, 0.0], [0.0, 800.0]]).unsqueeze(1)
    scores = MultiplyProbabilities([1, 1], outputs=2)(with_logits(*logits)).scores
    torch.testing.assert_close(scores, torch.tensor([[0.0, -100.0]]))
