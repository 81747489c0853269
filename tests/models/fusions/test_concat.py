"""The concatenation head by hand, its count, and what it refuses."""

import pytest
import torch

from models.fusions import ConcatHead
from tests.models.fusions.helpers import count, with_features


def test_by_hand() -> None:
    head = ConcatHead([2, 1], outputs=2, hidden=2)
    weights = [[[1.0, 2.0, 3.0], [-1.0, 0.0, 0.0]], [[1.0, 1.0], [2.0, 0.0]]]
    with torch.no_grad():
        for layer, weight, bias in zip(head.layers[::2], weights, [1.0, 0.5], strict=True):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.fill_(bias)
    features = torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0]])
    # 1 + 2 + 6 + 1 = 10 and -1 + 1 = 0, then 10 + 0 + 0.5 and 20 + 0.5
    torch.testing.assert_close(head(with_features(*features)).scores, torch.tensor([[10.5, 20.5]]))


def test_at_the_papers_size() -> None:
    assert count(ConcatHead([2048, 1664], outputs=8)) == 952_584


def test_any_number_of_branches() -> None:
    sizes = [3, 4, 5]
    features = [torch.randn(2, size) for size in sizes]
    assert ConcatHead(sizes, outputs=6)(with_features(*features)).scores.shape == (2, 6)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="got hidden=0"):
        ConcatHead([2, 1], outputs=2, hidden=0)
    head = ConcatHead([2, 1], outputs=2)
    with pytest.raises(ValueError, match=r"F = \(2, 1\), got shapes \[\(4, 2\)\]"):
        head(with_features(torch.zeros(4, 2)))
    with pytest.raises(ValueError, match=r"got shapes \[\(4, 2\), \(4, 3\)\]"):
        head(with_features(torch.zeros(4, 2), torch.zeros(4, 3)))
