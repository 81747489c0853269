"""Crossmodal attention and attention bottlenecks: by hand, in naive loops, bounded, and unchanged
at first."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from models.fusions import BottleneckAttention, CrossmodalAttention
from models.fusions.tokens import token_grid
from tests.models.fusions import by_hand
from tests.models.fusions.by_hand import Array
from tests.models.fusions.helpers import count

KINDS: list[Callable[..., Any]] = [CrossmodalAttention, BottleneckAttention]
SHAPES = [
    [(4, 2, 2, 3), (6, 5)],
    [(3, 5), (4,), (2, 3, 3)],
]
SMALL = {"width": 8, "heads": 2, "tokens": 4}


def read(module: Any, features: Sequence[Tensor], sample: int) -> tuple[list[list[Array]], Any]:
    """Each modality's tokens of the module's width, and the token of each position."""
    states, places = [], []
    for port, x in zip(module.ports, features, strict=True):
        grid = token_grid(x.shape[2:], port.most)
        tokens, place_of = by_hand.tokens(by_hand.array(x[sample]), grid)
        states.append([by_hand.linear(port.project, token) for token in tokens])
        places.append(place_of)
    return states, places


def crossmodal(module: CrossmodalAttention, states: list[list[Array]]) -> list[list[Array]]:
    made = []
    for m, target in enumerate(states):
        sides: list[list[Array]] = [[] for _ in target]
        for layer, source in zip(
            module.targets[m], [s for k, s in enumerate(states) if k != m], strict=True
        ):
            keys = [by_hand.norm(layer.norm, key) for key in source]
            queries = [by_hand.norm(layer.norm, query) for query in target]
            seen = by_hand.attention(layer.attention, queries, keys)
            first, inner, _, outer = layer.feedforward
            for number, (token, look) in enumerate(zip(target, seen, strict=True)):
                z = token + look
                hidden = by_hand.linear(inner, by_hand.norm(first, z)).clip(min=0)
                sides[number].append(by_hand.norm(layer.end, z + by_hand.linear(outer, hidden)))
        made.append([np.concatenate(side) for side in sides])
    return made


def bottleneck(module: BottleneckAttention, states: list[list[Array]]) -> list[list[Array]]:
    shared = list(by_hand.array(module.bottlenecks))
    for layer in module.layers:
        written = []
        for m, own in enumerate(layer):
            both = shared + states[m]
            normed = [by_hand.norm(own.norm1, token) for token in both]
            seen = by_hand.attention(own.self_attn, normed, normed)
            both = [token + look for token, look in zip(both, seen, strict=True)]
            for number, token in enumerate(both):
                hidden = by_hand.gelu(by_hand.linear(own.linear1, by_hand.norm(own.norm2, token)))
                both[number] = token + by_hand.linear(own.linear2, hidden)
            written.append(both[: len(shared)])
            states[m] = both[len(shared) :]
        shared = [sum(column) / len(column) for column in zip(*written, strict=True)]
    return [
        [by_hand.norm(norm, token) for token in state]
        for norm, state in zip(module.norms, states, strict=True)
    ]


NAIVE: dict[Any, Callable[..., Any]] = {
    CrossmodalAttention: crossmodal,
    BottleneckAttention: bottleneck,
}


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_in_loops(kind: Any, shapes: list[tuple[int, ...]]) -> None:
    module = kind([s[0] for s in shapes], **SMALL).double()
    by_hand.shake(module)
    features = [torch.randn(2, *s, dtype=torch.float64) for s in shapes]
    kept = [x.clone() for x in features]
    found = module(features)
    for sample in range(2):
        states, places = read(module, features, sample)
        made = NAIVE[kind](module, states)
        for m, port in enumerate(module.ports):
            for place, number in places[m].items():
                at = (sample, slice(None), *place)
                update = torch.as_tensor(by_hand.linear(port.give_back, made[m][number]))
                torch.testing.assert_close(found[m][at], features[m][at] + update)
    assert all(torch.equal(x, y) for x, y in zip(features, kept, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_unchanged_at_first_and_every_parameter_learns_from_the_second_step(
    kind: Any,
) -> None:
    torch.manual_seed(0)
    module = kind([4, 6], **SMALL)
    features = [torch.randn(3, 4, 2, 3), torch.randn(3, 6, 5)]
    assert all(torch.equal(x, y) for x, y in zip(module(features), features, strict=True))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        torch.stack([x.square().sum() for x in module(features)]).sum().backward()
        optimizer.step()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0, name


def test_one_token_looks_at_one_by_hand() -> None:
    """Attention to a single token is that token's value: the identity here, so its norm.

    Target (1, 3), source (5, 1): norms (-1, 1) and (1, -1), z = (1, 3) + (1, -1) = (2, 2), whose
    norm at the end is (0, 0), and plus the end's bias (7, 7); given back as it is.
    """
    module = CrossmodalAttention([2, 2], width=2, heads=1, tokens=1)
    layer = module.targets[0][0]
    with torch.no_grad():
        for port in module.ports:
            port.project.weight.copy_(torch.eye(2))
            port.project.bias.zero_()
            port.give_back.weight.copy_(torch.eye(2))
        layer.attention.in_proj_weight.copy_(torch.cat([torch.eye(2)] * 3))
        layer.attention.out_proj.weight.copy_(torch.eye(2))
        layer.feedforward[3].weight.zero_()
        layer.feedforward[3].bias.zero_()
        layer.end.bias.fill_(7.0)
    first, _ = module([torch.tensor([[1.0, 3.0]]), torch.tensor([[5.0, 1.0]])])
    torch.testing.assert_close(first, torch.tensor([[8.0, 10.0]]), atol=1e-2, rtol=0)


@pytest.mark.parametrize("tokens", [4, 64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_masked_padding_is_not_seen(kind: Any, training: bool, tokens: int) -> None:
    """Other values of the padding change no true step of either side, and masks are asked for."""
    module = kind([4, 6], width=8, heads=2, tokens=tokens, join_mean="masked").train(training)
    by_hand.shake(module)
    features = [torch.randn(3, 4, 10), torch.randn(3, 6, 8)]
    lengths = [torch.tensor([10, 4, 1]), torch.tensor([3, 8, 1])]
    masks = [
        torch.arange(x.shape[2]) < n.unsqueeze(1) for x, n in zip(features, lengths, strict=True)
    ]
    other = [
        torch.where(mask.unsqueeze(1), x, torch.randn_like(x))
        for x, mask in zip(features, masks, strict=True)
    ]
    assert module.takes_masks
    found = zip(module(features, masks), module(other, masks), masks, strict=True)
    for one, two, mask in found:
        kept = mask.unsqueeze(1).expand_as(one)
        torch.testing.assert_close(one[kept], two[kept])
    seen = zip(module(features), module(other), strict=True)
    assert not all(torch.allclose(one[0], two[0]) for one, two in seen)
    none = [torch.zeros_like(mask) for mask in masks]
    assert all(x.isfinite().all() for x in module(features, none))
    with pytest.raises(ValueError, match="masks are for join_mean='masked'"):
        kind([4, 6])(features, masks)


def test_a_modality_is_heard_in_the_second_layer_of_bottlenecks() -> None:
    """What another modality wrote is not there before: one layer alone exchanges nothing."""
    module = BottleneckAttention([4, 6], **SMALL)
    by_hand.shake(module)
    features = [torch.randn(2, 4, 3), torch.randn(2, 6)]
    other = [features[0], torch.randn(2, 6)]
    assert not torch.allclose(module(features)[0], module(other)[0])
    module.layers = module.layers[:1]
    assert torch.equal(module(features)[0], module(other)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_map_costs_little_more_than_a_small_one(kind: Any) -> None:
    """Attention sees 64 tokens of I3D's Mixed_4f at most; only the pooling sees the map itself."""

    def flops(*sizes: int) -> int:
        with torch.device("meta"):
            module = kind([832, 128]).eval()
            features = [torch.empty(1, 832, *sizes), torch.empty(1, 128, 4, 4)]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(features)
        return int(counter.get_total_flops())

    pooling = 2 * 832 * 64 * (8 * 14 * 14)
    assert flops(8, 14, 14) - pooling == flops(4, 4, 4)


def test_counts() -> None:
    """With width D: 4 D^2 + 4 D of an attention, 8 D^2 + 5 D of a feedforward, 2 D of a norm."""
    width, channels = 64, (1024, 32)
    ports = sum(c * width + width for c in channels)
    layer = 12 * width**2 + 9 * width
    back = sum(width * c + c for c in channels)
    assert count(CrossmodalAttention(channels)) == ports + back + 2 * (layer + 3 * 2 * width)
    found = count(BottleneckAttention(channels))
    assert found == ports + back + 4 * (layer + 2 * 2 * width) + 4 * width + 2 * 2 * width


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_types_are_kept_under_autocast(kind: Any, dtype: torch.dtype) -> None:
    module = kind([4, 6], **SMALL)
    by_hand.shake(module)
    features = [torch.randn(2, 4, 9), torch.randn(2, 6)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = module([x.to(dtype) for x in features])
    assert [out.dtype for out in outputs] == [dtype, dtype]
    for out, exact in zip(outputs, module(features), strict=True):
        torch.testing.assert_close(out.float(), exact, atol=0.15, rtol=0.15)
    half = kind([4, 6], **SMALL).bfloat16()([x.bfloat16() for x in features])
    assert half[0].dtype == torch.bfloat16


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("channels", "settings", "message"),
    [
        ([], {}, "positive number of channels"),
        ([4], {}, "expected 2 modalities or more"),
        ([4, 4], {"heads": 3}, "heads that divide the width, got width=64, heads=3"),
        ([4, 4], {"tokens": 0}, "tokens of 1 or more"),
        ([4, 4], {"join_mean": "some"}, "join_mean is one of"),
    ],
)
def test_arguments_that_are_refused(
    kind: Any, channels: list[int], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(channels, **settings)


def test_what_bottlenecks_refuse() -> None:
    with pytest.raises(ValueError, match="two layers or more, for in one nothing is exchanged"):
        BottleneckAttention([4, 4], layers=1)
    with pytest.raises(ValueError, match="one bottleneck or more, got layers=2, bottlenecks=0"):
        BottleneckAttention([4, 4], bottlenecks=0)
    with pytest.raises(ValueError, match=r"C = \(4, 4\), got shapes"):
        BottleneckAttention([4, 4])([torch.zeros(2, 4)])
