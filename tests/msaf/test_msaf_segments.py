import pytest
import torch
from torch import Tensor

from msaf import MSAF
from msaf.segments import segment_means
from tests.msaf.naive import Build, cut


def separate(module: MSAF) -> list[MSAF]:
    """One module per segment with the same weights, as the paper draws it."""
    width = module.block_channels // module.reduction
    modules = []
    for s in range(module.segments):
        single = MSAF(
            module.in_channels,
            block_channels=module.block_channels,
            reduction=module.reduction,
            lowest_attention=module.lowest_attention,
        ).train(module.training)
        state = {}
        for name, tensor in module.state_dict().items():
            if name.startswith("norm") and tensor.ndim:
                tensor = tensor[s * width : (s + 1) * width]
            elif tensor.ndim:
                tensor = tensor[s]
            state[name] = tensor.clone()
        single.load_state_dict(state)
        modules.append(single)
    return modules


def run_separately(modules: list[MSAF], features: list[Tensor]) -> list[Tensor]:
    pieces = zip(*[cut(x, len(modules)) for x in features], strict=True)
    outputs = [module(list(piece)) for module, piece in zip(modules, pieces, strict=True)]
    return [torch.cat(parts, dim=2) for parts in zip(*outputs, strict=True)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("lengths", [(50, 50, 50), (53, 50, 7)])
def test_equals_five_modules_on_the_pieces(training: bool, lengths: tuple[int, ...]) -> None:
    channels = [32, 64, 128]
    module = MSAF(channels, block_channels=16, reduction=2, segments=5).train(training)
    with torch.no_grad():
        module.highlight.weight.mul_(5)
        module.norm.running_mean.normal_()
        module.norm.running_var.uniform_(0.5, 2)
    modules = separate(module)
    features = [torch.randn(16, c, t) for c, t in zip(channels, lengths, strict=True)]
    together = module(features)
    apart = run_separately(modules, features)
    for a, b in zip(together, apart, strict=True):
        assert (a - b).abs().max() < (1e-5 if training else 1e-6)
    statistics = torch.cat([single.norm.running_var for single in modules])
    assert torch.allclose(module.norm.running_var, statistics, atol=1e-6)


def test_a_segment_does_not_see_the_others(build: Build) -> None:
    module = build([4, 6], block_channels=2, reduction=2, segments=3).eval()
    a, b = torch.randn(2, 4, 7, dtype=torch.float64), torch.randn(2, 6, 6, dtype=torch.float64)
    changed = a.clone()
    changed[:, :, 2:4] += 5  # the second segment of 2, 2 and 3 steps
    before, after = module([a, b]), module([changed, b])
    rows = [(x - y).abs().amax((0, 1)) > 0 for x, y in zip(before, after, strict=True)]
    assert rows[0].tolist() == [False, False, True, True, False, False, False]
    assert rows[1].tolist() == [False, False, True, True, False, False]


def test_the_remainder_belongs_to_the_last_segment() -> None:
    module = MSAF([1], block_channels=1, reduction=1, segments=3).eval()
    x = torch.zeros(1, 1, 8)  # segments of 2, 2 and 4 steps
    x[..., 4:] = torch.tensor([1.0, 2.0, 3.0, 6.0])
    assert segment_means(x, 3).flatten().tolist() == [0.0, 0.0, 3.0]
    assert torch.equal(module([x])[0], x)  # a single block has attention one


def test_initialised_as_separate_linear_layers_are() -> None:
    module = MSAF([512], block_channels=256, reduction=4, segments=8)
    for layer, fan_in in ((module.join, 256), (module.highlight, 64)):
        bound = fan_in**-0.5
        for tensor in (layer.weight, layer.bias):
            assert tensor.abs().max() <= bound
            assert tensor.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
