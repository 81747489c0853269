"""The correlation loss in numpy and against scikit-learn; what each phase trains."""

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA
from torch import Tensor

from models.baselines import DCCA, ICCN
from models.baselines.correlation import CorrelatedNetwork, total_correlation
from models.tasks import Regression
from tests.models.baselines.toy import batch, build

KINDS = [DCCA, ICCN]


def views(count: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    common = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    noise = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    x = torch.cat([common, noise[:, :1]], 1) @ torch.randn(3, 3, dtype=torch.float64)
    y = torch.cat([common + 0.5 * noise[:, 1:3], noise[:, 3:]], 1)
    return x, y


def inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**-0.5) @ vectors.T


@pytest.mark.parametrize("ridge", [1e-3, 0.5])
def test_the_correlation_by_the_inverse_roots_of_the_covariances(ridge: float) -> None:
    x, y = views()
    joint = np.cov(np.concatenate([x.numpy(), y.numpy()], 1).T)
    first = inverse_root(joint[:3, :3] + ridge * np.eye(3))
    second = inverse_root(joint[3:, 3:] + ridge * np.eye(4))
    expected = np.linalg.svd(first @ joint[:3, 3:] @ second)[1].sum()
    np.testing.assert_allclose(float(total_correlation(x, y, ridge=ridge)), expected)


def test_the_correlation_is_scikit_learn_s() -> None:
    x, y = views()
    fitted = CCA(3, scale=False, max_iter=5000, tol=1e-12).fit(x.numpy(), y.numpy())
    first, second = fitted.transform(x.numpy(), y.numpy())
    expected = sum(np.corrcoef(first[:, i], second[:, i])[0, 1] for i in range(3))
    assert float(total_correlation(x, y, ridge=0.0)) == pytest.approx(expected, abs=1e-6)


def test_linear_maps_of_a_view_do_not_matter() -> None:
    x, y = views()
    mixed = y @ torch.randn(4, 4, dtype=torch.float64) + 3
    found = total_correlation(x, mixed, ridge=0.0)
    torch.testing.assert_close(found, total_correlation(x, y, ridge=0.0))
    torch.testing.assert_close(total_correlation(y, mixed, ridge=0.0), 4 + 0 * found)


def test_slopes_are_right_and_finite_where_eigenvalues_are_equal() -> None:
    x, y = (view[:8].clone().requires_grad_() for view in views())
    assert torch.autograd.gradcheck(total_correlation, (x, y))
    # Orthogonal columns of one length: every eigenvalue and every correlation is the same.
    even = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]]).double().requires_grad_()
    constant = torch.ones(4, 2, requires_grad=True)
    (total_correlation(even, even * 1) + total_correlation(constant, constant * 1)).backward()
    for view in (even, constant):
        assert view.grad is not None and view.grad.isfinite().all()


def test_a_batch_that_cannot_tell_correlations_is_refused() -> None:
    x, y = views(4)
    with pytest.raises(ValueError, match="more than 4 samples, found 4: choose a larger batch"):
        total_correlation(x, y)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_that_are_all_too_short_are_refused_in_training(
    kind: type[CorrelatedNetwork],
) -> None:
    network, data, whole = build(kind).train(), batch(samples=3), batch(samples=12)
    for given in (whole, data, whole, data):  # one short batch, at the end of an epoch
        network.loss(network(given), given, Regression.criterion)
    with pytest.raises(ValueError, match=r"views of 3 dimensions.* found two of 3: choose"):
        network.loss(network(data), data, Regression.criterion)
    evaluated = build(kind).eval()
    for _ in range(3):
        evaluated.loss(evaluated(data), data, Regression.criterion)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_batch_of_the_validation_hides_no_short_ones(kind: type[CorrelatedNetwork]) -> None:
    network, data, whole = build(kind), batch(samples=3), batch(samples=12)
    network.train().loss(network(data), data, Regression.criterion)  # an epoch of one short batch
    network.eval().loss(network(whole), whole, Regression.criterion)
    with pytest.raises(ValueError, match=r"found two of 3: choose"):
        network.train().loss(network(data), data, Regression.criterion)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_last_batch_is_left_out_of_the_correlation(kind: type[CorrelatedNetwork]) -> None:
    network, data = build(kind), batch(samples=3)
    losses = network.loss(network(data), data, Regression.criterion)
    assert losses["correlation"] == 0
    losses["total"].backward()
    assert all(p.grad is None or not p.grad.any() for p in network.views.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_each_phase_trains_its_own_part(kind: type[CorrelatedNetwork]) -> None:
    network, data = build(kind), batch()
    network.enter("correlation")
    losses = network.loss(network(data), data, Regression.criterion)
    assert torch.equal(losses["total"], losses["correlation"])
    losses["total"].backward()
    assert all(p.grad is not None for p in network.views.parameters())
    assert all(p.grad is None for p in network.readout.parameters())
    network.zero_grad()
    network.enter("prediction")
    assert not network.views.training and network.readout.training
    losses = network.loss(network(data), data, Regression.criterion)
    error = (network(data).scores[:, 0] - data["label"]).square().mean()
    torch.testing.assert_close(losses["total"], error)
    losses["total"].backward()
    assert all(p.grad is None for p in network.views.parameters())
    assert all(p.grad is not None for p in network.readout.parameters())
    network.enter("correlation")
    assert network.views.training
    with pytest.raises(ValueError, match="has no phase 'elsewhere'"):
        network.enter("elsewhere")
