import pytest
import torch
from torch import Tensor

from msaf import MSAF, UniformGate
from msaf.blocks import BlockGate
from msaf.dropout import BlockDropout
from tests.msaf.naive import Build, DrawnMask


def only_dropout_trains(module: BlockGate) -> BlockGate:
    """Batch norm as in evaluation, so that dropout is all that differs."""
    module.eval()
    module.dropout.train()
    return module


def mean_ratio(module: BlockGate, batch: int = 20_000) -> float:
    """The mean of the output in training over its mean in evaluation, inputs all equal."""
    features = [torch.ones(batch, 16, 2), torch.ones(batch, 8)]
    with torch.no_grad():
        evaluated = torch.cat([out.flatten(1) for out in module.eval()(features)], 1).mean()
        trained = only_dropout_trains(module)(features)
        return (torch.cat([out.flatten(1) for out in trained], 1).mean() / evaluated).item()


@pytest.mark.parametrize(("form", "expected"), [("paper", 1.0), ("released", 1.25)])
@pytest.mark.parametrize("kind", [MSAF, UniformGate])
def test_expectation(kind: type[BlockGate], form: str, expected: float) -> None:
    module = kind([16, 8], block_channels=4, block_dropout=0.2, dropout_form=form)
    assert mean_ratio(module) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(("form", "kept"), [("paper", 2.0), ("released", 4.0)])
def test_kept_blocks_are_scaled_and_dropped_ones_are_zero(form: str, kept: float) -> None:
    control = UniformGate(
        [8, 4], block_channels=4, block_dropout=0.5, lowest_attention=1.0, dropout_form=form
    )
    outputs = control([torch.ones(200, 8, 3), torch.ones(200, 4)])
    blocks = torch.cat([outputs[0].mean(2), outputs[1]], 1).view(200, 3, 4)
    assert set(blocks.unique().tolist()) == {0.0, kept}
    assert torch.equal(blocks, blocks[..., :1].expand_as(blocks))  # a block falls as a whole
    share = (blocks[..., 0] > 0).float().mean(0)
    assert (share - 0.5).abs().max() < 0.15


@pytest.mark.parametrize("segments", [1, 3])
def test_one_mask_per_batch_or_one_per_sample(segments: int) -> None:
    def rows(mask: str) -> Tensor:
        gate = UniformGate(
            [40], block_channels=2, block_dropout=0.5, dropout_mask=mask, segments=segments
        )
        return gate([torch.ones(8, 40, 6)])[0].flatten(1).unique(dim=0)

    assert len(rows("batch")) == 1
    assert len(rows("sample")) == 8


def test_each_segment_draws_its_own_mask() -> None:
    gate = UniformGate([64], block_channels=2, block_dropout=0.5, segments=3)
    out = gate([torch.ones(1, 64, 6)])[0].view(64, 3, 2)
    assert torch.equal(out[..., 0], out[..., 1])  # the same within a segment
    assert not torch.equal(out[:, 0], out[:, 1])


@pytest.mark.parametrize("form", ["paper", "released"])
def test_dropped_blocks_do_not_reach_the_join(
    build: Build, drawn_mask: DrawnMask, form: str
) -> None:
    module = build([8, 4], block_channels=4, block_dropout=0.5, dropout_form=form)
    masks = drawn_mask(module)
    only_dropout_trains(module)
    a, b = (torch.randn(64, *shape, dtype=torch.float64) for shape in ((8, 3), (4,)))
    torch.manual_seed(7)
    first = module([a, b])
    torch.manual_seed(7)
    other = module([a, b + 100.0])  # another second modality, the same masks
    alone = masks[0][:, 0, 2] == 0
    assert torch.equal(masks[0], masks[1])
    assert 0 < alone.sum() < 64
    assert torch.equal(first[0][alone], other[0][alone])
    seen = (masks[0][:, 0, 2] == 1) & (masks[0][:, 0, :2].sum(1) == 2)
    assert not torch.equal(first[0][seen], other[0][seen])


def test_evaluation_and_p_zero_drop_nothing(build: Build) -> None:
    features = [torch.randn(4, 8, dtype=torch.float64)]
    module = build([8], block_channels=4, block_dropout=0.9).eval()
    assert torch.equal(module(features)[0], module(features)[0])
    assert (module(features)[0] != 0).all()
    assert BlockDropout(0.0)(features[0], (2,)) is None


def test_no_gradient_passes_a_dropped_block() -> None:
    gate = UniformGate([6], block_channels=2, block_dropout=0.5)
    x = torch.randn(20, 6, requires_grad=True)
    out = gate([x])[0]
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
    assert (x.grad == 0).any()
