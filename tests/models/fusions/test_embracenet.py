"""EmbraceNet: every feature comes from one modality; draws differ in training, repeat after it."""

import pytest
import torch
from torch import Tensor

from models.fusions import Embrace, EmbraceNet
from tests.models.fusions.helpers import count, with_features

SIZES = [3, 4, 5]


def features(batch: int = 6) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(batch, size, generator=generator) for size in SIZES]


def docked(module: Embrace, inputs: list[Tensor]) -> Tensor:
    pairs = zip(module.docking, inputs, strict=True)
    return torch.stack([(x @ dock.weight.T + dock.bias).relu() for dock, x in pairs])  # (M, B, c)


@pytest.mark.parametrize("training", [True, False])
def test_every_feature_is_the_docked_feature_of_one_modality(training: bool) -> None:
    module = Embrace(SIZES, size=50).train(training)
    inputs = features()
    matches = (module(inputs) - docked(module, inputs)).abs() < 1e-6  # (M, B, c)
    assert matches.any(0).all()


def test_the_evaluation_choice_by_a_loop() -> None:
    module = Embrace(SIZES, size=50).eval()
    inputs = features()
    out, candidates = module(inputs), docked(module, inputs)
    for feature, modality in enumerate(module.evaluation_choice.tolist()):
        torch.testing.assert_close(out[:, feature], candidates[modality, :, feature])


def test_modalities_are_drawn_evenly() -> None:
    module = Embrace([1, 1, 1], size=3000)
    with torch.no_grad():
        for modality, dock in enumerate(module.docking):
            dock.weight.zero_()
            dock.bias.fill_(modality + 1)
    inputs = [torch.zeros(10, 1)] * 3
    for drawn in (module.train()(inputs), module.eval()(inputs)):
        shares = torch.stack([(drawn == value).float().mean() for value in (1, 2, 3)])
        assert (shares - 1 / 3).abs().max() < 0.04


def test_training_draws_anew_for_every_sample_and_call() -> None:
    module = Embrace(SIZES, size=50).train()
    inputs = [x[:1].expand(2, -1) for x in features()]
    torch.manual_seed(1)
    first, second = module(inputs), module(inputs)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(module(inputs), first)


def test_evaluation_repeats_and_does_not_depend_on_the_batch() -> None:
    module = Embrace(SIZES, size=50).eval()
    inputs = features()
    state = torch.get_rng_state()
    whole = module(inputs)
    assert torch.equal(torch.get_rng_state(), state)
    turned = module([x.flip(0) for x in inputs]).flip(0)
    alone = torch.cat([module([x[i : i + 1] for x in inputs]) for i in range(6)])
    torch.testing.assert_close(turned, whole)
    torch.testing.assert_close(alone, whole)
    other = Embrace(SIZES, size=50, seed=1)
    assert not torch.equal(other.evaluation_choice, module.evaluation_choice)
    other.load_state_dict(module.state_dict())
    assert torch.equal(other.eval()(inputs), whole)


def test_at_the_papers_size() -> None:
    assert count(EmbraceNet([2048, 1664], outputs=8)) == 952_840


def test_the_readout_classifies_what_was_embraced() -> None:
    readout = EmbraceNet(SIZES, outputs=7, size=20).eval()
    inputs = features()
    scores = readout(with_features(*inputs)).scores
    torch.testing.assert_close(scores, readout.classify(readout.embrace(inputs)))
    assert scores.shape == (6, 7)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="size=0"):
        Embrace(SIZES, size=0)
    with pytest.raises(ValueError, match="one modality or more"):
        Embrace([])
    with pytest.raises(ValueError, match=r"F = \(3, 4, 5\), got shapes"):
        Embrace(SIZES)(features()[:2])
