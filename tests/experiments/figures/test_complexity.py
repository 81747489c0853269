"""Figure 5: the numbers of the paper's text, and those that follow by hand."""

import csv
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra

from experiments.figures.complexity import figure5, measure
from experiments.runs.folder import RunError
from tests.experiments.conftest import CONFIGS


@pytest.fixture(autouse=True)
def configured() -> object:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


def test_the_flops_of_the_papers_text() -> None:
    """10.4K, 131.6K, 2.6M and 33.6M."""
    for fusion, expected in (("msaf", (10_432, 2_624_512)), ("mmtm", (131_584, 33_562_624))):
        assert tuple(size.paper_flops for size in measure(fusion, (64, 1024))) == expected


@pytest.mark.parametrize("channels", [8, 64, 1024])
def test_parameters_and_products_by_hand(channels: int) -> None:
    block, reduced = channels // 2, channels // 8  # C, C / r; four blocks
    (msaf,), (mmtm,) = measure("msaf", (channels,)), measure("mmtm", (channels,))
    shared, excite = block * reduced + 3 * reduced, 4 * (reduced * block + block)
    assert msaf.parameters == shared + excite
    assert msaf.flops == 4 * 2 * (block * reduced + 4 * reduced * block)
    both, narrow = 2 * channels, channels  # d, o = 2 d / 4
    assert mmtm.parameters == both * narrow + narrow + narrow * both + both
    assert mmtm.flops == 4 * 2 * (2 * both * narrow)


def test_the_figure_and_its_numbers_are_written(tmp_path: Path) -> None:
    paths = figure5(tmp_path)
    assert [path.name for path in paths] == [f"figure5.{k}" for k in ("png", "svg", "pdf", "csv")]
    assert all(path.stat().st_size > 300 for path in paths)
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in figure5(tmp_path)] == before
    with paths[-1].open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["fusion"], row["channels"]) for row in rows[::8]] == [("msaf", "8"), ("mmtm", "8")]
    assert rows[7]["parameters"] == "330112"  # the paper's 330K


def test_a_fusion_without_a_module_is_refused() -> None:
    with pytest.raises(RunError, match="fusions=concat: expected fusions with a module"):
        measure("concat", (8,))
