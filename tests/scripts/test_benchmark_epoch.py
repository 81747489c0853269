"""The benchmark of a training epoch compares the same network on the same number of batches."""

from pathlib import Path

import hydra
import pytest
import torch
from hydra.errors import ConfigCompositionException

from experiments.runs.compose import build, compose
from experiments.runs.overrides import Overrides
from scripts import benchmark
from scripts.benchmarks import epoch
from tests.mosei_data import write_packed

SIZES = ["data=full", "task.shapes.text=[6,8]", "task.branches.text.features=6", "batch_size=4"]


def test_one_command_trains_both_in_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_packed(tmp_path / "packed")
    command = ["epoch", *SIZES, f"data.root={root}", "rounds=2", "batches=3"]
    benchmark.main(command)
    shown = " ".join(capsys.readouterr().out.split())  # the title is broken into lines
    # 4 (128 x 6 + 128 x 128 + 2 x 128) of the first LSTM, 132,096 of the second, 129 of the head
    assert "3 batches of 4 x 8 steps x 6, 201,857 parameters" in shown
    assert "train.py" in shown and "plain loop" in shown


@pytest.mark.parametrize("override", ["threads=2", "epochs=3"])
def test_refuses_what_it_would_ignore(override: str) -> None:
    with pytest.raises(ValueError, match=f"{override}: "):
        benchmark.main(["epoch", override])


def test_refuses_data_that_is_nowhere_and_another_network(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data=full needs the packed data set"):
        benchmark.main(["epoch", "data=full"])
    root = write_packed(tmp_path / "packed")
    two = ["fusion=sum", "modalities=[text,audio]"]
    with pytest.raises(ValueError, match="expected the same network on both sides"):
        benchmark.main(["epoch", *SIZES, f"data.root={root}", *two])


def test_a_misspelled_option_is_told_from_a_misspelled_key() -> None:
    with pytest.raises(ValueError, match=r"roudns: no such key.*An option of epoch is rounds"):
        benchmark.main(["epoch", "roudns=3"])
    with pytest.raises(ConfigCompositionException):
        benchmark.main(["epoch", "datamodule.foo=3"])


def test_the_plain_loop_takes_one_step_a_batch(tmp_path: Path) -> None:
    root = write_packed(tmp_path / "packed")
    with hydra.initialize_config_dir(str(epoch.CONFIGS), version_base="1.3"):
        overrides = Overrides([*epoch.OVERRIDES, *SIZES, f"data.root={root}"])
        data = build(compose(overrides).datamodule)
    data.setup("fit")
    loop = epoch.PlainLoop(data, 5, batches=6)
    assert loop.text.shape == (30, 8, 6)
    before = loop.head[1].weight.clone()
    loop.epoch()
    steps = {int(state["step"]) for state in loop.optimizer.state.values()}
    assert steps == {6}
    assert not torch.equal(before, loop.head[1].weight)
