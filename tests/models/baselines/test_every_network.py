"""What holds for every whole network: sizes, padding, slopes, refusals, FLOPs, learning."""

from pathlib import Path

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra

from experiments.runs.complexity import paper_size_flops, paper_size_parameters
from experiments.runs.overrides import Overrides
from models.baselines import LMF, MFM, MISA, TFN
from models.baselines.sentiment import SentimentNetwork
from models.baselines.sequences import read_steps
from models.tasks import Regression
from tests.models.baselines.toy import FEATURES, SETTINGS, batch, build

CONFIGS = str(Path(__file__).parents[3] / "configs")
KINDS = list(SETTINGS)
Kind = type[SentimentNetwork]


@pytest.mark.parametrize(
    ("fusion", "published", "unused"),
    [
        ("tfn", 5_042_541, 2),  # the constants of the output's range
        ("lmf", 508_475, 0),
        ("mfm", 5_996_541, (544 + 64 + 1) * 256 + 257),  # a head of the memory fusion network
        ("misa", 1_432_033, 129 * 4),  # a discriminator whose loss has the weight zero
    ],
)
def test_published_parameter_counts(fusion: str, published: int, unused: int) -> None:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        words = ["task=mosei", f"fusion={fusion}"]
        counts, flops = paper_size_parameters(Overrides(words)), paper_size_flops(Overrides(words))
    assert counts["total"] == counts["with_heads"] == published - unused
    parts = {name: count for name, count in counts.items() if name not in ("total", "with_heads")}
    assert sum(parts.values()) == counts["total"]
    assert flops["total"] == sum(count for name, count in flops.items() if name != "total") > 0


def test_lmf_s_flops_are_its_projections_and_layers() -> None:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        flops = paper_size_flops(Overrides(["task=mosei", "fusion=lmf"]))
    visual, audio = 35 * 128 + 2 * 128 * 128, 74 * 16 + 2 * 16 * 16
    text = 50 * 4 * 128 * (768 + 128) + 128 * 64
    fused = 4 * (129 + 17 + 65) + 4
    expected = {"visual": visual, "audio": audio, "text": text, "readout": fused}
    assert {name: flops[name] for name in expected} == {k: 2 * v for k, v in expected.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_count(kind: Kind) -> None:
    network, data = build(kind).eval(), batch()
    scores = network(data).scores
    assert scores.shape == (12, 1)
    noisy = dict(data)
    for name in FEATURES:
        steps = read_steps(data, name)
        noise = torch.randn(steps.values.shape)
        noisy[name] = torch.where(steps.real.unsqueeze(2), steps.values, noise).transpose(1, 2)
    torch.testing.assert_close(network(noisy).scores, scores)
    shorter = data | {"text_length": data["text_length"].clamp_max(1)}
    assert not torch.allclose(network(shorter).scores, scores)


@pytest.mark.parametrize("kind", KINDS)
def test_every_modality_counts_and_samples_do_not_mix(kind: Kind) -> None:
    network, data = build(kind).eval(), batch()
    scores = network(data).scores
    for name in FEATURES:
        other = data | {name: data[name] * 1.5 + 0.3 * torch.randn(data[name].shape)}
        assert not torch.allclose(network(other).scores, scores)
    few = {name: value[:5] for name, value in data.items()}
    torch.testing.assert_close(network(few).scores, scores[:5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_finite_also_on_input_that_says_nothing(kind: Kind) -> None:
    network, data = build(kind).train(), batch()
    for name in FEATURES:
        data[name] = torch.zeros_like(data[name])
    data["visual_length"] = torch.zeros_like(data["visual_length"])
    losses = network.loss(network(data), data, Regression.criterion)
    assert all(value.isfinite() for value in losses.values())
    losses["total"].backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_trained(kind: Kind) -> None:
    network, data = build(kind).train(), batch()
    for phase in getattr(network, "phases", [None]):
        if phase:
            network.enter(phase)
        network.loss(network(data), data, Regression.criterion)["total"].backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_a_label_of_two_modalities(kind: Kind) -> None:
    network, data = build(kind), batch(samples=48)
    # MISA's difference is no true slope, for lengths are held constant: at 0.03, 300 times the
    # published rate, it drives the codes of so few samples into the ends of their sigmoids.
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01 if kind is MISA else 0.03)
    for phase in getattr(network, "phases", [None]):
        for _ in range(50):
            if phase:
                network.enter(phase)
            loss = network.train().loss(network(data), data, Regression.criterion)["total"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    error = (network.eval()(data).scores[:, 0] - data["label"]).square().mean()
    assert error < 0.5 * data["label"].var()


@pytest.mark.parametrize("kind", KINDS)
def test_other_modalities_and_shapes_are_refused(kind: Kind) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__} is a network of visual, audio and"):
        build(kind, features={"audio": 6, "text": 8})
    with pytest.raises(ValueError, match=r"audio: expected \(B, 6, T\), got \(12, 9, 6\)"):
        data = batch()
        build(kind)(data | {"audio": data["audio"].transpose(1, 2)})


def test_parts_hold_every_parameter_once() -> None:
    for kind in KINDS:
        network = build(kind)
        found = [id(p) for part in network.parts().values() for p in part.parameters()]
        assert sorted(found) == sorted(id(p) for p in network.parameters())


def test_the_cards_tell_the_counts() -> None:
    told = {TFN: "5,042,539", LMF: "508,475", MFM: "5,840,380", MISA: "1,431,517"}
    assert all(count in (kind.__doc__ or "") for kind, count in told.items())
