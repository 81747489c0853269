"""The mean of probabilities, by hand, for extreme logits, and what it refuses."""

import pytest
import torch

from models.fusions import AverageProbabilities
from models.tasks import Classification
from tests.models.fusions.helpers import count, with_logits, with_probabilities


def test_by_hand() -> None:
    readout = AverageProbabilities([1, 1], outputs=3)
    branches = with_probabilities([[0.7, 0.2, 0.1]], [[0.1, 0.8, 0.1]])
    prediction = readout(branches)
    wanted = torch.tensor([[0.4, 0.5, 0.1]], dtype=torch.float64)
    torch.testing.assert_close(prediction.scores.exp(), wanted)
    loss = readout.loss(prediction, {"label": torch.tensor([1])}, Classification.criterion)["total"]
    torch.testing.assert_close(loss, -torch.tensor(0.5, dtype=torch.float64).log())
    assert list(prediction.parts) == ["video", "audio"]
    assert count(readout) == 0


def test_three_branches_against_the_naive_mean() -> None:
    logits = torch.randn(3, 5, 4, dtype=torch.float64)
    scores = AverageProbabilities([1, 1, 1], outputs=4)(with_logits(*logits)).scores
    torch.testing.assert_close(scores.exp(), logits.softmax(2).mean(0))


def test_loss_and_gradient_stay_finite_where_probabilities_underflow() -> None:
    logits = torch.tensor([[500.0, 0.0], [500.0, 0.0]]).unsqueeze(1).requires_grad_()
    readout = AverageProbabilities([1, 1], outputs=2)
    loss = readout.loss(
        readout(with_logits(*logits)), {"label": torch.tensor([1])}, Classification.criterion
    )["total"]
    loss.backward()
    assert loss == 500
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_half_precision_logits_give_float_scores() -> None:
    scores = AverageProbabilities([1], outputs=2)(with_logits(torch.zeros(1, 2).bfloat16())).scores
    assert scores.dtype == torch.float32


def test_one_output_has_no_probability() -> None:
    with pytest.raises(ValueError, match="two classes or more, got outputs=1"):
        AverageProbabilities([1, 1], outputs=1)
