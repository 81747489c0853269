"""The #Params column of Table 1, from the real configuration, with the paper's digits."""

from typing import NamedTuple

import pytest
import torch

from tests.models.fusions.helpers import count, network


class Row(NamedTuple):
    words: str
    parameters: int
    ours: str
    paper: str


ROWS = {
    "3D ResNeXt50": Row("fusion=none modalities=[video]", 25_882_056, "25.88", "25.88"),
    "1D CNN": Row("fusion=none modalities=[audio]", 34_024, "0.03", "0.03"),
    "Averaging": Row("fusion=average", 25_916_080, "25.92", "25.92"),
    "Multiplicative": Row("fusion=multiplicative", 25_916_080, "25.92", "25.92"),
    "Multiplication": Row("fusion=multiply", 25_916_080, "25.92", "25.92"),
    "Concat + FC": Row("fusion=concat", 26_868_664, "26.87", "26.87"),
    "MCBP": Row("fusion=mcbp", 34_112_696, "34.11", "51.03"),
    "MMTM": Row("fusion=mmtm", 31_496_512, "31.50", "31.97"),
    "MSAF": Row("fusion=msaf", 25_940_724, "25.94", "25.94"),
}
GAPS = {"MCBP", "MMTM"}  # explained in the docstrings of both
OTHERS = {
    "fusion=sum": 25_916_080,
    "fusion=uniform": 25_916_080,
    "fusion=embracenet": 26_868_920,
    "fusion=mmtm fusion.mid.width_factor=1": 28_707_880,
    # worked out from the counts in the docstrings, and those of the tests of each
    "fusion=squeeze_excitation": 25_916_080 + 1_050_112 + 1_072 + 4_197_376 + 4_192,
    "fusion=gmu": 25_916_080 + 2_297_920 + 9_187_456,
    "fusion=crossmodal": 25_916_080 + 236_576 + 372_800,
    "fusion=bottleneck": 25_916_080 + 336_800 + 473_024,
}


def parameters(words: str, *, all_heads: bool) -> int:
    with torch.device("meta"):
        full = [*words.split(), "task=ravdess", "data=full"]
        return count(network(*full, all_heads=all_heads))


@pytest.mark.parametrize("name", ROWS)
def test_the_row(name: str) -> None:
    row = ROWS[name]
    found = parameters(row.words, all_heads=True)
    assert found == row.parameters
    assert f"{found / 1e6:.2f}" == row.ours
    assert (row.ours != row.paper) == (name in GAPS)


@pytest.mark.parametrize("words", OTHERS)
def test_what_stands_in_no_row(words: str) -> None:
    assert parameters(words, all_heads=True) == OTHERS[words]


def test_without_the_heads_that_nobody_uses() -> None:
    unused = 16_392 + 13_320
    assert parameters("fusion=concat", all_heads=False) == 26_868_664 - unused
    assert parameters("fusion=average", all_heads=False) == 25_916_080


@pytest.mark.parametrize(
    ("sketch_size", "hidden", "met"),
    [(16000, 1024, False), (8000, 3072, False), (16000, 1569, True), (8000, 3136, True)],
)
def test_the_mcbp_gap_is_met_by_odd_pairs_alone(sketch_size: int, hidden: int, met: bool) -> None:
    readout = f"fusion.readout.sketch_size={sketch_size} fusion.readout.hidden={hidden}"
    found = parameters(f"fusion=mcbp {readout}", all_heads=True)
    assert (f"{found / 1e6:.2f}" == "51.03") == met
