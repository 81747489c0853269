"""Compact bilinear pooling against explicit convolution, its kernel property, and zeros."""

from itertools import product

import pytest
import torch
from torch import Tensor

from models.fusions import MCBP, CompactBilinear
from models.fusions.mcbp import signed_root, unit_length
from models.tasks import Classification
from tests.models.fusions.helpers import count, with_features


def naive_sketch(x: Tensor, places: Tensor, signs: Tensor, size: int) -> list[float]:
    sketch = [0.0] * size
    for value, place, sign in zip(x.tolist(), places.tolist(), signs.tolist(), strict=True):
        sketch[place] += sign * value
    return sketch


def convolve(a: list[float], b: list[float]) -> list[float]:
    out = [0.0] * len(a)
    for i, j in product(range(len(a)), range(len(b))):
        out[(i + j) % len(a)] += a[i] * b[j]
    return out


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("sizes", [[5], [5, 3], [5, 3, 4]])
def test_it_is_the_circular_convolution_of_the_sketches(sizes: list[int], size: int) -> None:
    pool = CompactBilinear(sizes, sketch_size=size, seed=3).double()
    features = [torch.randn(2, n, dtype=torch.float64) for n in sizes]
    pooled = pool(features)
    for row in range(2):
        draws = zip(features, pool.places.split(sizes), pool.signs.split(sizes), strict=True)
        first, *others = [naive_sketch(x[row], h, s, size) for x, h, s in draws]
        for other in others:
            first = convolve(first, other)
        torch.testing.assert_close(pooled[row], torch.tensor(first, dtype=torch.float64))


def test_it_keeps_the_inner_products_of_the_outer_products() -> None:
    x = torch.tensor([[1.0, -2.0, 0.5, 3.0], [2.0, -1.0, 1.0, 2.0]], dtype=torch.float64)
    y = torch.tensor([[1.0, 1.0, -2.0], [0.0, 2.0, -1.0]], dtype=torch.float64)
    wanted = (x[0] @ x[1]) * (y[0] @ y[1])  # 10.5 * 4
    found = []
    for seed in range(600):
        phi = CompactBilinear([4, 3], sketch_size=32, seed=seed)([x, y])
        found.append(phi[0] @ phi[1])
    estimates = torch.stack(found)
    error = estimates.std() / len(found) ** 0.5
    assert abs(estimates.mean() - wanted) < 4 * error
    assert abs(wanted) > 10 * error  # else the test could not tell it from zero


def test_places_and_signs_cover_their_range_and_follow_the_seed() -> None:
    state = torch.get_rng_state()
    pool = CompactBilinear([500, 500], sketch_size=10, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(pool.places.tolist()) == set(range(10))
    assert set(pool.signs.tolist()) == {-1.0, 1.0}
    assert not torch.equal(*pool.places.split(500))
    again, other = (CompactBilinear([500, 500], sketch_size=10, seed=seed) for seed in (1, 2))
    assert torch.equal(pool.places, again.places)
    assert torch.equal(pool.signs, again.signs)
    assert not torch.equal(pool.places, other.places)
    assert set(pool.state_dict()) == {"places", "signs"}
    assert count(pool) == 0


def test_autocast_and_half_precision_leave_the_transform_in_float() -> None:
    pool = CompactBilinear([6, 5], sketch_size=16)
    features = [torch.randn(2, n).bfloat16() for n in (6, 5)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = pool(features)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, pool([x.float() for x in features]))


def test_signed_root_and_unit_length() -> None:
    x = torch.tensor([[-9.0, 0.0, 16.0]])
    torch.testing.assert_close(signed_root(x), torch.tensor([[-3.0, 0.0, 4.0]]))
    wanted = torch.tensor([[-0.6, 0.0, 0.8]])
    torch.testing.assert_close(unit_length(signed_root(x)), wanted)


@pytest.mark.parametrize("zero", [(True, True), (True, False), (False, True)])
def test_gradients_are_finite_at_zero(zero: tuple[bool, bool]) -> None:
    head = MCBP([6, 5], outputs=3, sketch_size=16, hidden=4)
    features = [
        (torch.zeros(2, n) if none else torch.randn(2, n)).requires_grad_()
        for n, none in zip((6, 5), zero, strict=True)
    ]
    prediction = head(with_features(*features))
    head.loss(prediction, {"label": torch.tensor([0, 2])}, Classification.criterion)[
        "total"
    ].backward()
    grads = [x.grad for x in (*features, *head.parameters())]
    assert all(grad is not None and grad.isfinite().all() for grad in grads)
    assert max(float(grad.abs().max()) for grad in grads if grad is not None) < 1e6


def test_the_whole_head_by_its_parts() -> None:
    head = MCBP([6, 5], outputs=3, sketch_size=16, hidden=4)
    features = [torch.randn(2, n) for n in (6, 5)]
    y = head.pool(features)
    y = y.sign() * y.abs().sqrt()
    y = y / y.norm(dim=1, keepdim=True)
    scores = head(with_features(*features)).scores
    torch.testing.assert_close(scores, head.layers(y), atol=1e-3, rtol=1e-3)


def test_at_the_papers_size() -> None:
    with torch.device("meta"):
        assert count(MCBP([2048, 1664], outputs=8)) == 16000 * 512 + 512 + 512 * 8 + 8


@pytest.mark.parametrize(
    ("sizes", "settings", "message"),
    [
        ([], {"sketch_size": 4}, "one modality or more"),
        ([3, 4], {"sketch_size": 0}, "sketch_size=0"),
    ],
)
def test_what_it_refuses(sizes: list[int], settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CompactBilinear(sizes, **settings)


def test_features_of_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="got hidden=0"):
        MCBP([3, 4], outputs=2, hidden=0)
    with pytest.raises(ValueError, match=r"F = \(3, 4\), got shapes \[\(2, 3\), \(2, 5\)\]"):
        CompactBilinear([3, 4], sketch_size=8)([torch.zeros(2, 3), torch.zeros(2, 5)])
