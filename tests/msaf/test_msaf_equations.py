import math

import pytest
import torch
from torch import Tensor

from msaf import MSAF, record_attention
from tests.msaf.naive import Build, DrawnMask, naive_msaf


def draw(shapes: list[tuple[int, ...]], batch: int) -> list[Tensor]:
    return [torch.randn(batch, *shape, dtype=torch.float64) for shape in shapes]


# shapes without the batch, settings
CONFIGURATIONS = {
    "one vector": ([(8,)], {"block_channels": 4}),
    "one map": ([(6, 3, 2)], {"block_channels": 2, "reduction": 1}),
    "map and sequence": ([(16, 2, 3, 4), (8, 7)], {"block_channels": 4}),
    "four ranks": (
        [(8, 2, 3, 2), (4, 3, 5), (12, 6), (8,)],
        {"block_channels": 4, "reduction": 2, "lowest_attention": 0.3},
    ),
    "channels left over": (
        [(13, 4), (7, 2, 2), (5,)],
        {"block_channels": 4, "reduction": 2, "lowest_attention": 0.5},
    ),
    "a block wider than a modality": ([(3, 4), (10,)], {"block_channels": 6, "reduction": 3}),
    "auto": ([(9, 5), (14, 3, 3)], {"block_channels": "auto", "reduction": 2}),
    "lambda of one": ([(8, 3), (4,)], {"block_channels": 4, "lowest_attention": 1.0}),
    "even segments": (
        [(8, 12), (6, 12), (4, 12)],
        {"block_channels": 2, "reduction": 2, "segments": 4},
    ),
    "segments with a remainder": (
        [(8, 14), (5, 9), (4, 4)],
        {"block_channels": 4, "reduction": 2, "segments": 4, "lowest_attention": 0.2},
    ),
    "small segments": (
        [(4, 5), (3, 4, 2)],
        {"block_channels": 2, "reduction": 2, "segments": 2, "lowest_attention": 0.2},
    ),
    "segments along the first of several axes": (
        [(8, 11, 3), (4, 10, 2, 2), (6, 13)],
        {"block_channels": 4, "segments": 5},
    ),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_equals_the_printed_equations(build: Build, name: str, training: bool) -> None:
    shapes, settings = CONFIGURATIONS[name]
    module = build([shape[0] for shape in shapes], **settings).train(training)
    features = draw(shapes, batch=5)
    with record_attention(module) as maps:
        outputs = module(features)
    expected, attention = naive_msaf(module, features)
    for output, wanted in zip(outputs, expected, strict=True):
        assert output.shape == wanted.shape
        assert (output - wanted).abs().max() < 1e-9
    assert (maps[""][0].view_as(attention) - attention).abs().max() < 1e-9
    assert attention.std() > 0.01  # far enough from uniform for the comparison to mean something


@pytest.mark.parametrize("mask", ["sample", "batch"])
@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_equals_the_printed_equations_with_block_dropout(
    build: Build, drawn_mask: DrawnMask, name: str, form: str, mask: str
) -> None:
    shapes, settings = CONFIGURATIONS[name]
    module = build(
        [shape[0] for shape in shapes],
        **settings,
        block_dropout=0.4,
        dropout_form=form,
        dropout_mask=mask,
    )
    masks = drawn_mask(module)
    features = draw(shapes, batch=6)
    outputs = module(features)
    expected, _ = naive_msaf(module, features, masks[0])
    for output, wanted in zip(outputs, expected, strict=True):
        assert (output - wanted).abs().max() < 1e-9


def test_a_case_worked_out_by_hand() -> None:
    module = MSAF([1, 1], block_channels=1, reduction=1).eval()
    with torch.no_grad():
        module.norm.running_var.sub_(module.norm.eps)  # so that batch norm changes nothing
        module.join.weight.fill_(1.0)
        module.join.bias.fill_(0.0)
        module.highlight.weight.copy_(torch.tensor([[math.log(3) / 6], [0.0]]))
        module.highlight.bias.fill_(0.0)
    features = [torch.tensor([[[1.0, 3.0]]]), torch.tensor([[4.0]])]  # means 2 and 4, G = Z = 6
    first, second = module(features)  # logits log 3 and 0: attention 3/4 and 1/4
    assert torch.allclose(first, torch.tensor([[[0.75, 2.25]]]))
    assert torch.allclose(second, torch.tensor([[1.0]]))
    module.lowest_attention = 0.5  # gates 7/8 and 5/8
    first, second = module(features)
    assert torch.allclose(first, torch.tensor([[[0.875, 2.625]]]))
    assert torch.allclose(second, torch.tensor([[2.5]]))


@pytest.mark.parametrize("name", ["four ranks", "channels left over", "small segments"])
@pytest.mark.parametrize("training", [False, True])
def test_gradients(build: Build, name: str, training: bool) -> None:
    shapes, settings = CONFIGURATIONS[name]
    module = build([shape[0] for shape in shapes], **settings).train(training)
    features = [x.requires_grad_() for x in draw(shapes, batch=3)]
    names, parameters = zip(*module.named_parameters(), strict=True)
    buffers = dict(module.named_buffers())

    def run(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names, tensors[len(features) :], strict=True))
        state = {name: tensor.clone() for name, tensor in buffers.items()} | given
        return tuple(torch.func.functional_call(module, state, (list(tensors[: len(features)]),)))

    assert torch.autograd.gradcheck(run, (*features, *parameters))


def test_attention_sums_to_one_over_the_blocks_of_all_modalities(build: Build) -> None:
    module = build([13, 7, 5], block_channels=4, reduction=2)  # 4 + 2 + 2 blocks, some padded
    with record_attention(module) as maps:
        module(draw([(13, 4), (7, 2, 2), (5,)], batch=3))
    attention = maps[""][0]
    assert attention.shape == (3, 8, 4)
    assert torch.allclose(attention.sum(1), torch.ones(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("lowest", [0.0, 0.25, 0.5, 1.0])
def test_the_gate_stays_between_lambda_and_one(build: Build, lowest: float) -> None:
    module = build([12, 8], block_channels=4, lowest_attention=lowest).eval()
    with torch.no_grad():
        module.highlight.bias.mul_(30)
    ones = [torch.ones(4, 12, 3, dtype=torch.float64), torch.ones(4, 8, dtype=torch.float64)]
    gates = torch.cat([output.flatten() for output in module(ones)])  # the gate itself
    assert gates.min() >= lowest
    assert gates.max() <= 1
    if lowest < 1:
        assert gates.min() < lowest + 0.01  # the bound is reached


@pytest.mark.parametrize("segments", [1, 3])
def test_inputs_are_left_as_they_are(build: Build, segments: int) -> None:
    module = build([6, 4], block_channels=4, segments=segments, block_dropout=0.5)
    features = draw([(6, 7), (4, 9, 2)], batch=4)
    before = [x.clone() for x in features]
    outputs = module(features)
    for x, copy, output in zip(features, before, outputs, strict=True):
        assert x._version == 0
        assert torch.equal(x, copy)
        assert output.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("segments", [1, 2])
def test_a_training_batch_of_one_uses_the_running_statistics(build: Build, segments: int) -> None:
    module = build([8, 4], block_channels=4, segments=segments)
    features = [x.requires_grad_() for x in draw([(8, 5), (4, 6)], batch=1)]
    before = module.norm.running_mean.clone()
    trained = module.train()(features)
    sum(output.sum() for output in trained).backward()
    assert torch.equal(module.norm.running_mean, before)
    assert all(x.grad.abs().sum() > 0 for x in features)
    evaluated = module.eval()(features)
    assert all(torch.equal(a, b) for a, b in zip(trained, evaluated, strict=True))


def test_running_statistics_follow_the_batch(build: Build) -> None:
    module = build([4], block_channels=4, reduction=2).train()
    module.norm.reset_running_stats()
    x = torch.randn(6, 4, dtype=torch.float64)
    module([x])
    z = x @ module.join.weight.T + module.join.bias
    assert torch.allclose(module.norm.running_mean, 0.1 * z.mean(0))
    assert torch.allclose(module.norm.running_var, 0.9 + 0.1 * z.var(0))


@pytest.mark.parametrize("segments", [1, 3, 4])
def test_memory_layout_does_not_matter(build: Build, segments: int) -> None:
    module = build([6, 4], block_channels=2, reduction=2, segments=segments).eval()
    sequence = torch.randn(3, 12, 6, dtype=torch.float64).transpose(1, 2)  # as an LSTM leaves it
    maps = torch.randn(3, 4, 13, 5, dtype=torch.float64).to(memory_format=torch.channels_last)
    strided = module([sequence, maps])
    plain = module([sequence.contiguous(), maps.contiguous()])
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(strided, plain, strict=True))


def test_swapping_the_modalities_with_their_weights_swaps_the_outputs(build: Build) -> None:
    module = build([8, 4], block_channels=4, reduction=2).eval()
    swapped = build([4, 8], block_channels=4, reduction=2).eval()
    state = module.state_dict()
    for name in ("highlight.weight", "highlight.bias"):
        first, second = state[name].split([8, 4])
        state[name] = torch.cat([second, first])
    swapped.load_state_dict(state)
    a, b = draw([(8, 3), (4, 2, 2)], batch=2)
    outputs = module([a, b])
    turned = swapped([b, a])
    assert torch.allclose(outputs[0], turned[1])
    assert torch.allclose(outputs[1], turned[0])


def test_an_empty_batch_passes() -> None:
    module = MSAF([8, 4], block_channels=4)
    outputs = module([torch.randn(0, 8, 3), torch.randn(0, 4)])
    assert [output.shape for output in outputs] == [(0, 8, 3), (0, 4)]
