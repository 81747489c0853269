"""Every yaml of a fusion: it builds, trains a step, and works in bf16, for any modalities."""

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from models import StagedNetwork
from models.tasks import Classification
from tests.models.fusions.helpers import CONFIGS, TRIPLE, compose, network

# A whole network says for which tasks it is made; it has tests of its own.
LOADED = {path.stem: OmegaConf.load(path) for path in (CONFIGS / "fusion").glob("*.yaml")}
MADE = {name: content.get("fusion", content) for name, content in LOADED.items()}
FUSIONS = sorted(name for name, made in MADE.items() if name != "none" and "tasks" not in made)
TINY = [
    "task=ravdess",
    "data=full",
    "task.branches.video.depths=[1,1,1,1]",
    "task.branches.video.width=4",
    "task.branches.video.cardinality=2",
    "task.branches.audio.frames=40",
    "task.branches.audio.width=8",
    "task.branches.action_units.hidden=16",
]
SHAPES = {"video": (3, 4, 32, 32), "audio": (13, 40), "action_units": (35,)}
MODALITIES = [TRIPLE[:2], TRIPLE[1:], TRIPLE]


def tiny(fusion: str, modalities: list[str]) -> StagedNetwork:
    torch.manual_seed(0)
    words = [f"fusion={fusion}", f"modalities=[{','.join(modalities)}]"]
    return network(*TINY, *words)


def batch(modalities: list[str], size: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    data = {name: torch.randn(size, *SHAPES[name], generator=generator) for name in modalities}
    return {**data, "label": torch.arange(size)}


@pytest.mark.parametrize("modalities", MODALITIES, ids="+".join)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_one_training_step_reaches_every_parameter(fusion: str, modalities: list[str]) -> None:
    net, data = tiny(fusion, modalities).train(), batch(modalities)
    prediction = net(data)
    assert prediction.scores.shape == (4, 8)
    net.loss(prediction, data, Classification.criterion)["total"].backward()
    grads = {name: p.grad for name, p in net.named_parameters()}
    assert not [n for n, grad in grads.items() if grad is None or not grad.isfinite().all()]
    assert any(grad.abs().max() > 0 for grad in grads.values() if grad is not None)


@pytest.mark.parametrize("modalities", MODALITIES, ids="+".join)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_bf16_autocast(fusion: str, modalities: list[str]) -> None:
    net, data = tiny(fusion, modalities).eval(), batch(modalities)
    exact = net(data).scores
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prediction = net(data)
        loss = net.loss(prediction, data, Classification.criterion)["total"]
    loss.backward()
    torch.testing.assert_close(prediction.scores.float(), exact, atol=0.1, rtol=0.1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_sample_is_scored_the_same_in_any_batch(fusion: str) -> None:
    net, data = tiny(fusion, TRIPLE).eval(), batch(TRIPLE)
    with torch.no_grad():
        whole = net(data).scores
        alone = net({name: x[2:3] for name, x in data.items()}).scores
    torch.testing.assert_close(alone, whole[2:3], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_yaml_names_itself_and_says_what_it_is(fusion: str) -> None:
    assert compose(f"fusion={fusion}").fusion.name == fusion
    lines = (CONFIGS / "fusion" / f"{fusion}.yaml").read_text().splitlines()
    first = next(line for line in lines if not line.startswith("# @package"))
    assert first.startswith("# ")
    assert len(first) > 30


def test_those_without_parameters_say_that_they_train_nothing() -> None:
    idle = [name for name in FUSIONS if compose(f"fusion={name}").fusion.get("trains") is False]
    assert idle == ["average", "multiply"]


def test_small_sketches_for_the_sample_data() -> None:
    sizes = [compose("fusion=mcbp", f"data={d}").fusion.readout for d in ("full", "sample")]
    assert [(s.sketch_size, s.hidden) for s in sizes] == [(16000, 512), (1024, 64)]
    chosen = compose("fusion=mcbp", "data=sample", "fusion.readout.sketch_size=99").fusion.readout
    assert chosen.sketch_size == 99
