from typing import Any

import pytest
from torch import nn

from msaf import MSAF, UniformGate


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("in_channels", "settings", "expected"),
    [
        ([1024, 32], {"block_channels": 16}, 5_356),
        ([2048, 64], {"block_channels": 32}, 19_288),
        ([32, 64, 128], {"block_channels": 16, "reduction": 2, "segments": 5}, 10_840),
        ([832, 128, 128], {"block_channels": 64}, 19_568),
        ([1024, 512], {"block_channels": 256}, 116_416),
        ([1024, 1024], {"block_channels": 512}, 330_112),
        ([1024, 128, 128], {"block_channels": 64}, 22_832),
        ([2048, 512], {"block_channels": 256}, 182_976),
    ],
)
def test_the_papers_configurations(
    in_channels: list[int], settings: dict[str, Any], expected: float
) -> None:
    assert count(MSAF(in_channels, **settings)) == expected


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (8, 39),
        (16, 118),
        (32, 396),
        (64, 1_432),
        (128, 5_424),
        (256, 21_088),
        (512, 83_136),
        (1024, 330_112),
    ],
)
def test_figure_5(channels: int, expected: float) -> None:
    assert count(MSAF([channels, channels], block_channels="auto")) == expected


MOSEI_WITHOUT_FUSION = 678_497
MOSEI_TOTALS = {
    (8, 2): (679_661, 684_317, 690_137),
    (16, 2): (680_665, 689_337, 700_177),
    (32, 2): (682_865, 700_337, 722_177),
    (8, 4): (679_191, 681_967, 685_437),
    (16, 4): (679_693, 684_477, 690_457),
    (32, 4): (680_793, 689_977, 701_457),
}


@pytest.mark.parametrize("size", MOSEI_TOTALS)
@pytest.mark.parametrize(("index", "segments"), [(0, 1), (1, 5), (2, 10)])
def test_the_mosei_grid(size: tuple[int, int], index: int, segments: int) -> None:
    block_channels, reduction = size
    module = MSAF(
        [32, 64, 128], block_channels=block_channels, reduction=reduction, segments=segments
    )
    assert MOSEI_WITHOUT_FUSION + count(module) == MOSEI_TOTALS[size][index]


def test_ravdess_totals_of_table_4() -> None:
    without = 25_882_056 + 34_024
    totals = [
        without
        + count(MSAF([1024, 32], block_channels=first))
        + count(MSAF([2048, 64], block_channels=2 * first))
        for first in (8, 16, 32)
    ]
    assert totals == [25_929_906, 25_940_724, 25_962_840]


def test_auto_is_half_of_the_fewest_channels() -> None:
    assert MSAF([64, 21, 40], block_channels="auto").block_channels == 10
    assert MSAF([64, 1, 40], block_channels=1, reduction=1).block_channels == 1


@pytest.mark.parametrize(
    ("places", "rows"),
    [
        ([[1024, 32], [2048, 64]], [[8, 16], [16, 32], [32, 64]]),
        ([[32, 64, 128]], [[8], [16], [32]]),
        ([[832, 128, 128], [1024, 512]], [[32, 128], [64, 256], [128, 512]]),
    ],
    ids=["RAVDESS", "CMU-MOSEI", "NTU RGB+D"],
)
def test_table_4_varies_a_quarter_a_half_and_all_of_the_fewest_channels(
    places: list[list[int]], rows: list[list[int]]
) -> None:
    for share, sizes in zip([0.25, 0.5, 1.0], rows, strict=True):
        modules = [MSAF(channels, block_channels=share) for channels in places]
        assert [module.block_channels for module in modules] == sizes


def test_blocks_per_modality_counts_the_padded_one() -> None:
    module = MSAF([832, 130, 128], block_channels=128)
    assert module.blocks_per_modality == (7, 2, 1)
    assert module.blocks == 10


def test_the_control_has_no_parameters() -> None:
    assert count(UniformGate([32, 64], block_channels=16, segments=3, block_dropout=0.2)) == 0


def test_the_papers_rule_is_the_default_size_of_a_block() -> None:
    assert MSAF([1024, 32]).block_channels == UniformGate([1024, 32]).block_channels == 16
    by_rule, by_number = MSAF([64, 256]), MSAF([64, 256], block_channels=32)
    assert {k: v.shape for k, v in by_rule.state_dict().items()} == {
        k: v.shape for k, v in by_number.state_dict().items()
    }
