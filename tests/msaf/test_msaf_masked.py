"""`join_mean="masked"`: the join's means over true steps alone, against a loop over samples."""

import pytest
import torch
from torch import Tensor

from msaf import MSAF, UniformGate, record_attention
from msaf.segments import segment_means
from tests.msaf.naive import cut

CHANNELS = [4, 6]


def module(segments: int, join_mean: str = "masked") -> MSAF:
    torch.manual_seed(0)
    fuse = MSAF(CHANNELS, block_channels=2, reduction=2, segments=segments, join_mean=join_mean)
    torch.nn.init.constant_(fuse.norm.bias, 3.0)  # no unit of the joint representation is dead
    return fuse.double().eval()


def inputs(steps: int = 7) -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    features = [torch.randn(3, c, steps, generator=generator).double() for c in CHANNELS]
    masks = [torch.rand(3, steps, generator=generator) < 0.6 for _ in CHANNELS]
    return features, masks


@pytest.mark.parametrize("segments", [1, 3])
@pytest.mark.parametrize("further", [(), (2,)])
def test_means_count_true_steps_alone(segments: int, further: tuple[int, ...]) -> None:
    x = torch.randn(3, 4, 7, *further, dtype=torch.float64)
    mask = torch.rand(3, 7) < 0.5
    mask[0, :4], mask[1] = False, True
    found = segment_means(x, segments, mask).view(3, segments, 4)
    pieces = zip(cut(x, segments), cut(mask[:, None], segments), strict=True)
    for s, (piece, kept) in enumerate(pieces):
        for row in range(3):
            steps = [t for t in range(piece.shape[2]) if kept[row, 0, t]]
            chosen = [piece[row, :, t].reshape(4, -1).mean(1) for t in steps]
            expected = sum(chosen) / len(chosen) if chosen else x.new_zeros(4)
            torch.testing.assert_close(found[row, s], expected)


@pytest.mark.parametrize("segments", [1, 3])
def test_padding_changes_no_attention_and_is_scaled_all_the_same(segments: int) -> None:
    fuse = module(segments)
    features, masks = inputs()
    changed = [
        torch.where(mask[:, None], x, x + 100) for x, mask in zip(features, masks, strict=True)
    ]
    with record_attention(fuse) as maps:
        first, second = fuse(features, masks), fuse(changed, masks)
    before, after = maps[""]
    torch.testing.assert_close(before, after)
    for x, y, out, other in zip(features, changed, first, second, strict=True):
        torch.testing.assert_close(out / x, other / y)


@pytest.mark.parametrize("segments", [1, 3])
def test_masks_that_are_true_everywhere_are_the_paper(segments: int) -> None:
    features, masks = inputs()
    everywhere = [torch.ones_like(mask) for mask in masks]
    plain = module(segments, "all")(features)
    for given in (everywhere, [None, None], None):
        for a, b in zip(module(segments)(features, given), plain, strict=True):
            torch.testing.assert_close(a, b)
    for a, b in zip(module(segments)(features, masks), plain, strict=True):
        assert not torch.allclose(a, b)


def test_a_sample_without_any_true_step_stays_finite() -> None:
    features, masks = inputs()
    masks[0][0] = False
    features = [x.requires_grad_() for x in features]
    out = module(3)(features, masks)
    sum(x.sum() for x in out).backward()
    assert all(x.grad is not None and x.grad.isfinite().all() for x in features)


def test_the_uniform_gate_has_no_join_to_mask() -> None:
    features, masks = inputs()
    gate = UniformGate(CHANNELS, block_channels=2)
    assert not gate.takes_masks
    with pytest.raises(ValueError, match="masks are for join_mean='masked'"):
        gate(features, masks)


def test_masks_that_do_not_fit_are_refused() -> None:
    features, masks = inputs()
    fuse = module(1)
    with pytest.raises(ValueError, match="join_mean is one of"):
        module(1, "some")
    with pytest.raises(ValueError, match="masks are for join_mean='masked'"):
        module(1, "all")(features, masks)
    with pytest.raises(ValueError, match="got 1 for 2 modalities"):
        fuse(features, masks[:1])
    with pytest.raises(ValueError, match=r"modality 1, .*expected a mask \(B, S\) of booleans"):
        fuse(features, [None, masks[1][:, :5]])
    with pytest.raises(ValueError, match=r"modality 0, .*float"):
        fuse(features, [masks[0].float(), None])
    with pytest.raises(ValueError, match="modality 0, of shape"):
        fuse([features[0][:, :, 0], features[1]], [masks[0], None])
