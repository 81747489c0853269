"""The regression head, its loss, and which fusions cannot serve a single output."""

import pytest
import torch

from models.backbones import BranchOutput
from models.fusions import (
    AverageProbabilities,
    ConcatHead,
    Multiplicative,
    MultiplyProbabilities,
    RegressionHead,
    SumLogits,
)
from models.tasks import Classification, Joint, Regression


def outputs(*sizes: int) -> dict[str, BranchOutput]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"m{i}": BranchOutput(torch.randn(4, size, generator=generator), None)
        for i, size in enumerate(sizes)
    }


def test_it_is_concatenation_and_one_linear_layer() -> None:
    head = RegressionHead([2, 3], dropout=0.5).eval()
    linear = head.layers[1]
    branches = outputs(2, 3)
    expected = linear.bias + sum(
        branches["m0"].features[:, i] * linear.weight[0, i] for i in range(2)
    )
    expected = expected + sum(
        branches["m1"].features[:, i] * linear.weight[0, 2 + i] for i in range(3)
    )
    scores = head(branches).scores
    assert scores.shape == (4, 1)
    torch.testing.assert_close(scores[:, 0], expected)


def test_the_papers_head_has_225_parameters() -> None:
    assert sum(p.numel() for p in RegressionHead([32, 64, 128]).parameters()) == 225


def test_dropout_acts_in_training_alone() -> None:
    head = RegressionHead([400], dropout=0.5)
    torch.nn.init.ones_(head.layers[1].weight)
    torch.nn.init.zeros_(head.layers[1].bias)
    ones = {"m": BranchOutput(torch.ones(1, 400), None)}
    torch.manual_seed(0)
    dropped = head(ones).scores.item()
    assert dropped != 400 and dropped % 2 == 0 and 320 < dropped < 480
    assert head.eval()(ones).scores.item() == 400


@pytest.mark.parametrize("kind", [RegressionHead, ConcatHead])
def test_a_regression_is_trained_by_the_mean_squared_error(kind: type[RegressionHead]) -> None:
    head = kind([2, 3], outputs=1).eval()
    prediction = head(outputs(2, 3))
    label = torch.tensor([0.0, 1.0, -3.0, 2.0])
    losses = head.loss(prediction, {"label": label}, Regression.criterion)
    by_hand = sum((float(s) - float(y)) ** 2 for s, y in zip(prediction.scores, label, strict=True))
    assert list(losses) == ["total"]
    assert float(losses["total"]) == pytest.approx(by_hand / 4, rel=1e-6)


def test_a_classification_is_trained_by_the_cross_entropy() -> None:
    scores = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    loss = SumLogits([1], outputs=2).loss(
        type("P", (), {"scores": scores})(),  # type: ignore[arg-type]
        {"label": torch.tensor([0, 0])},
        Classification.criterion,
    )
    by_hand = (torch.log(1 + torch.exp(torch.tensor([-2.0, 1.0])))).mean()
    torch.testing.assert_close(loss["total"], by_hand)


@pytest.mark.parametrize("kind", [AverageProbabilities, MultiplyProbabilities, Multiplicative])
def test_what_combines_probabilities_refuses_a_single_output(kind: type[SumLogits]) -> None:
    with pytest.raises(ValueError, match=r"class probabilities: it needs two classes or more"):
        kind([2, 3], outputs=1)


def test_the_head_refuses_what_is_no_regression() -> None:
    with pytest.raises(ValueError, match="a regression has one output, got outputs=7"):
        RegressionHead([2, 3], outputs=7)
    with pytest.raises(ValueError, match=r"expected features \(B, F\)"):
        RegressionHead([2, 3])(outputs(2, 4))


def test_the_task_measures_and_logs_what_its_scores_say() -> None:
    task = Regression(torch.nn.Linear(1, 1), training=Joint(optimizer=torch.optim.Adam), splits=[])
    scores, labels = torch.tensor([[0.5], [-1.0], [2.0]]), torch.tensor([1.0, -3.0, 2.0])
    assert task.metrics(scores, labels)["mae"] == pytest.approx((0.5 + 2.0 + 0.0) / 3)
    prediction = type("P", (), {"scores": scores})()
    found = task.batch_metrics(prediction, {"label": labels})  # type: ignore[arg-type]
    assert float(found["mae"]) == pytest.approx(2.5 / 3)
