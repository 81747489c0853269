"""Parameter counts of the sentiment networks, from the real configuration."""

import pytest
import torch

from tests.models.fusions.helpers import count, network

SIZES = {  # C and q: totals with r = 2 and r = 4
    (8, 1): (679_661, 679_191),
    (8, 5): (684_317, 681_967),
    (8, 10): (690_137, 685_437),
    (16, 1): (680_665, 679_693),
    (16, 5): (689_337, 684_477),
    (16, 10): (700_177, 690_457),
    (32, 1): (682_865, 680_793),
    (32, 5): (700_337, 689_977),
    (32, 10): (722_177, 701_457),
}
ROWS = {
    "fusion=none modalities=[visual]": 17_313,
    "fusion=none modalities=[audio]": 69_185,
    "fusion=none modalities=[text]": 592_001,
    "fusion=sum": 678_497,
    "fusion=uniform": 678_497,
    "fusion=msaf": 689_337,
}


def parameters(words: str, *, all_heads: bool = False) -> int:
    with torch.device("meta"):
        return count(network("task=mosei", "data=full", *words.split(), all_heads=all_heads))


@pytest.mark.parametrize("words", ROWS)
@pytest.mark.parametrize("all_heads", [False, True])
def test_the_network_has_no_heads_that_nobody_uses(words: str, all_heads: bool) -> None:
    assert parameters(words, all_heads=all_heads) == ROWS[words]


@pytest.mark.parametrize("size", SIZES)
def test_every_size_of_the_ablation(size: tuple[int, int]) -> None:
    channels, segments = size
    words = f"fusion=msaf fusion.mid.block_channels={channels}"
    words += f" fusion.mid.segments={segments} fusion.mid.reduction="
    assert (parameters(f"{words}2"), parameters(f"{words}4")) == SIZES[size]


def test_the_papers_setting_is_the_default() -> None:
    (point,) = network("task=mosei", "data=full", "fusion=msaf").points
    fusion = point.fusion
    assert fusion.in_channels == (32, 64, 128)
    assert (fusion.block_channels, fusion.segments, fusion.reduction) == (16, 5, 2)
    assert (fusion.dropout.p, fusion.lowest_attention) == (0.2, 0.0)
    assert sum(p.numel() for p in fusion.parameters()) == 10_840
    assert fusion.blocks_per_modality == (2, 4, 8)


def test_the_unimodal_networks_alone_have_dropout_before_their_head() -> None:
    text = network("task=mosei", "data=full", "fusion=none", "modalities=[text]")
    assert text.readout.layers[0].p == 0.1
    assert network("task=mosei", "data=full", "fusion=msaf").readout.layers[0].p == 0
