"""Outer products by loops, and LMF against the full weight tensor that it never builds."""

from itertools import product

import numpy as np
import torch

from models.baselines import LMF, TFN
from models.baselines.lmf import LowRankFusion
from models.baselines.tfn import outer_product
from models.tasks import Regression
from tests.models.baselines.toy import batch, build, pieces


def naive_product(vectors: list[np.ndarray]) -> np.ndarray:
    longer = [np.concatenate([[1.0], v]) for v in vectors]
    return np.array([np.prod(terms) for terms in product(*longer)])


def test_the_outer_product_holds_every_product_with_a_leading_one() -> None:
    features = [torch.randn(4, size, dtype=torch.float64) for size in (2, 3, 1)]
    found = outer_product(features)
    assert found.shape == (4, 3 * 4 * 2)
    for i in range(4):
        expected = naive_product([x[i].numpy() for x in features])
        np.testing.assert_allclose(found[i].numpy(), expected)


def test_low_rank_fusion_is_the_contraction_with_its_full_weight() -> None:
    torch.manual_seed(2)
    fusion = LowRankFusion([2, 3, 1], outputs=2, rank=3).double()
    torch.nn.init.normal_(fusion.bias)
    features = [torch.randn(4, size, dtype=torch.float64) for size in (2, 3, 1)]
    weight = np.zeros((3, 4, 2, 2))
    for r in range(3):
        first, second, third = (factor[r].detach().numpy() for factor in fusion.factors)
        scale = fusion.rank_weights[0, r].item()
        weight += scale * np.einsum("ik,jk,lk->ijlk", first, second, third)
    for i in range(4):
        vector = naive_product([x[i].numpy() for x in features])
        expected = weight.reshape(-1, 2).T @ vector + fusion.bias.detach().numpy()
        np.testing.assert_allclose(fusion(features)[i].detach().numpy(), expected)


def test_the_rank_weights_and_the_bias_are_trained_too() -> None:
    network, data = build(LMF), batch()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    network.loss(network(data), data, Regression.criterion)["total"].backward()
    optimizer.step()
    after = dict(network.named_parameters())
    assert all(not torch.equal(before[n], after[n]) for n in before if n.startswith("readout."))


def test_tfn_by_hand_from_its_encoders() -> None:
    network, data = build(TFN).eval().double(), batch()
    data = {k: v.double() if v.is_floating_point() else v for k, v in data.items()}
    text = pieces(data, "text")
    scores = network(data).scores
    for i in range(3):
        vectors = []
        for name in ("visual", "audio"):
            mean = pieces(data, name)[i].mean(0, keepdim=True)
            vectors.append(getattr(network, name).layers(mean)[0])
        states, _ = network.text.lstm(text[i][None])  # the real steps alone
        vectors.append(network.text.layers(states[:, -1])[0])
        x = torch.from_numpy(naive_product([v.detach().numpy() for v in vectors]))
        raw = network.readout(x[None])
        torch.testing.assert_close(scores[i], (6 / (1 + torch.exp(-raw)) - 3)[0])


def test_tfn_stays_between_the_strongest_sentiments() -> None:
    network = build(TFN).eval()
    with torch.no_grad():
        network.readout[-1].bias.fill_(100.0)
        assert network(batch()).scores.max() <= 3
        network.readout[-1].bias.fill_(-100.0)
        assert network(batch()).scores.min() >= -3
