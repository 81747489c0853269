"""MMTM against hand-worked numbers and naive loops; its counts; shapes and types."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from models.fusions import MMTM
from tests.models.fusions.helpers import count

FIGURE_5 = {  # channels: parameters with bottleneck 2d/4, with d/4
    8: (280, 148),
    16: (1_072, 552),
    32: (4_192, 2_128),
    64: (16_576, 8_352),
    128: (65_920, 33_088),
    256: (262_912, 131_712),
    512: (1_050_112, 525_568),
    1024: (4_197_376, 2_099_712),
}


def mmtm(*args: Any, **kwargs: Any) -> MMTM:
    torch.manual_seed(0)
    return MMTM(*args, **kwargs)


def size(*channels: int, **kwargs: Any) -> int:
    with torch.device("meta"):
        return count(MMTM(channels, **kwargs))


def test_by_hand() -> None:
    """Means 2 and -1; z = relu(2 * 2 - 1 + 0) = 3; gates sigmoid(3 * 1 - 3), sigmoid(3 * 0 + 1)."""
    module = mmtm([1, 1], ratio=4)
    assert module.squeeze.out_features == 1
    with torch.no_grad():
        module.squeeze.weight.copy_(torch.tensor([[2.0, 1.0]]))
        module.squeeze.bias.fill_(0.0)
        module.excite.weight.copy_(torch.tensor([[1.0], [0.0]]))
        module.excite.bias.copy_(torch.tensor([-3.0, 1.0]))
    first, second = module([torch.tensor([[[1.0, 3.0]]]), torch.tensor([[-1.0]])])
    torch.testing.assert_close(first, torch.tensor([[[0.5, 1.5]]]))
    torch.testing.assert_close(second, torch.tensor([[-1 / (1 + math.exp(-1))]]))


@torch.no_grad()
def naive(module: MMTM, features: list[Tensor]) -> list[Tensor]:
    weight, bias = module.squeeze.weight, module.squeeze.bias
    outputs = [torch.empty_like(x) for x in features]
    for b in range(len(features[0])):
        means = torch.cat([x[b].flatten(1).mean(1) if x.ndim > 2 else x[b] for x in features])
        z = [max(0.0, float(row @ means + c)) for row, c in zip(weight, bias, strict=True)]
        row = 0
        for x, out in zip(features, outputs, strict=True):
            for channel in range(x.shape[1]):
                u = float(module.excite.bias[row])
                u += sum(float(w) * v for w, v in zip(module.excite.weight[row], z, strict=True))
                out[b, channel] = x[b, channel] / (1 + math.exp(-u))
                row += 1
    return outputs


@pytest.mark.parametrize(
    "shapes",
    [
        [(4,)],
        [(4, 3, 2, 5), (6, 7)],
        [(4, 3, 2, 5), (6, 7), (5,)],
        [(2,), (3,), (4, 2), (5, 2, 2)],
    ],
)
@pytest.mark.parametrize("width_factor", [1, 2])
def test_any_number_of_modalities_of_any_rank(
    shapes: list[tuple[int, ...]], width_factor: int
) -> None:
    module = mmtm([s[0] for s in shapes], ratio=2, width_factor=width_factor).double()
    features = [torch.randn(3, *s, dtype=torch.float64) for s in shapes]
    kept = [x.clone() for x in features]
    outputs = module(features)
    for out, wanted in zip(outputs, naive(module, features), strict=True):
        torch.testing.assert_close(out, wanted)
    assert all(torch.equal(x, y) for x, y in zip(features, kept, strict=True))


def test_memory_layouts_are_kept() -> None:
    module = mmtm([4, 6])
    video = torch.randn(2, 4, 3, 5, 5)
    layout = video.contiguous(memory_format=torch.channels_last_3d)
    audio = torch.randn(2, 7, 6).transpose(1, 2)
    outputs = module([layout, audio])
    assert outputs[0].is_contiguous(memory_format=torch.channels_last_3d)
    assert outputs[1].stride() == audio.stride()
    torch.testing.assert_close(outputs[0], module([video, audio])[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_types_are_kept_under_autocast(dtype: torch.dtype) -> None:
    module = mmtm([4, 6])
    features = [torch.randn(2, 4, 9), torch.randn(2, 6)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = module([x.to(dtype) for x in features])
    assert [out.dtype for out in outputs] == [dtype, dtype]
    for out, exact in zip(outputs, module(features), strict=True):
        torch.testing.assert_close(out.float(), exact, atol=0.03, rtol=0.03)
    half = mmtm([4, 6]).bfloat16()([x.bfloat16() for x in features])
    assert half[0].dtype == torch.bfloat16


@pytest.mark.parametrize("channels", FIGURE_5)
def test_figure_5(channels: int) -> None:
    counts = size(channels, channels), size(channels, channels, width_factor=1)
    assert counts == FIGURE_5[channels]


def test_counts_at_the_papers_places() -> None:
    assert size(1024, 32) == 1_116_720
    assert size(2048, 64) == 4_463_712
    ntu = [(512, 128), (1024, 256), (2048, 512)]
    assert [size(*c) for c in ntu] == [410_560, 1_640_320, 6_557_440]
    assert [size(*c, width_factor=1) for c in ntu] == [205_600, 820_800, 3_280_000]


@pytest.mark.parametrize(
    ("channels", "settings", "message"),
    [
        ([], {}, "positive number of channels"),
        ([4, 0], {}, "positive number of channels"),
        ([4, 4], {"ratio": 0}, "up to 16, got 0"),
        ([4, 4], {"ratio": 17}, "up to 16, got 17"),
        ([4, 4], {"width_factor": 3}, "width_factor 2 or 1, got 3"),
    ],
)
def test_arguments_that_are_refused(
    channels: list[int], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        MMTM(channels, **settings)


def test_features_that_are_refused() -> None:
    module = mmtm([4, 6])
    with pytest.raises(ValueError, match="a list of 2 tensors, got a tensor"):
        module(torch.zeros(2, 4))
    for features in ([torch.zeros(2, 4)], [torch.zeros(2, 6, 3), torch.zeros(2, 4)]):
        with pytest.raises(ValueError, match=r"C = \(4, 6\), got shapes"):
            module(features)
