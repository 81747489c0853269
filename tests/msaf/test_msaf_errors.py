from typing import Any

import pytest
import torch

from msaf import MSAF, UniformGate
from msaf.blocks import BlockGate
from msaf.dropout import BlockDropout


@pytest.mark.parametrize("kind", [MSAF, UniformGate])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"in_channels": []}, r"in_channels is one positive number per modality, got \[\]"),
        ({"in_channels": [8, 0]}, r"in_channels .* got \[8, 0\]"),
        ({"block_channels": 0}, "block_channels is a positive whole number, .* got 0"),
        ({"block_channels": 1.5}, "a share up to 1.0 of the fewest channels, .* got 1.5"),
        ({"block_channels": 0.0}, "block_channels is .* got 0.0"),
        ({"in_channels": [8, 7], "block_channels": 0.125}, r"less than one of \(8, 7\); give"),
        ({"block_channels": "half"}, "block_channels is .* got 'half'"),
        ({"in_channels": [8, 1], "block_channels": "auto"}, r"less than one of \(8, 1\); give"),
        ({"lowest_attention": -0.1}, r"lowest_attention is in \[0, 1\], got -0.1"),
        ({"lowest_attention": 1.5}, "lowest_attention .* got 1.5"),
        ({"segments": 0}, "segments is at least 1, got 0"),
        ({"block_dropout": 1.0}, r"block_dropout is a probability in \[0, 1\), got 1.0"),
        ({"block_dropout": -0.2}, "block_dropout .* got -0.2"),
        ({"dropout_form": "both"}, r"dropout_form is one of .*'released'.* got 'both'"),
        ({"dropout_mask": "block"}, r"dropout_mask is one of .*'batch'.* got 'block'"),
    ],
)
def test_arguments(kind: type[BlockGate], settings: dict[str, Any], message: str) -> None:
    settings = {"in_channels": [8, 4], "block_channels": 4} | settings
    with pytest.raises(ValueError, match=message):
        kind(settings.pop("in_channels"), **settings)


@pytest.mark.parametrize("reduction", [0, 5])
def test_a_reduction_that_leaves_nothing(reduction: int) -> None:
    with pytest.raises(ValueError, match=rf"between 1 and block_channels \(4\).*got {reduction}"):
        MSAF([8, 4], block_channels=4, reduction=reduction)


@pytest.mark.parametrize("kind", [MSAF, UniformGate])
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 8)], r"expected a list of 2 feature tensors.*\(8, 4\) channels, got 1"),
        ([(2, 8), (2, 4), (2, 4)], "got 3"),
        ([(2, 8), (2, 5, 3)], r"modality 1, of shape \(2, 5, 3\): expected 4 channels on axis 1"),
        ([(2, 3, 8), (2, 4)], r"modality 0, of shape \(2, 3, 8\): expected 8 channels .* first"),
        ([(8,), (2, 4)], r"modality 0, of shape \(8,\): expected 8 channels"),
        ([(2, 8), (3, 4)], r"modality 1, of shape \(3, 4\): expected the batch .* modality 0, 2"),
        ([(2, 8, 0), (2, 4)], "modality 0, .*: expected at least one position"),
    ],
)
def test_shapes(kind: type[BlockGate], shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind([8, 4], block_channels=4)([torch.randn(shape) for shape in shapes])


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 2)])
@pytest.mark.parametrize("kind", [MSAF, UniformGate])
def test_segments_need_a_sequence(kind: type[BlockGate], shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"modality 1, .*: expected a sequence of at least 3 steps"
    ):
        kind([8, 4], block_channels=4, segments=3)([torch.randn(2, 8, 9), torch.randn(shape)])


def test_a_single_tensor_is_no_list() -> None:
    with pytest.raises(ValueError, match="got a single tensor"):
        MSAF([8], block_channels=4)(torch.randn(1, 8, 3))


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"modality 0, .*: expected floating point .* torch.int64"):
        MSAF([8], block_channels=4)([torch.ones(2, 8, dtype=torch.long)])


def test_the_highest_probability_still_passes() -> None:
    assert BlockDropout(0.99).p == 0.99
