"""`train.py -m` as a user types it: its table, failures, and what makes no sense."""

import re
from pathlib import Path

import pytest

from tests.commands import ENVIRONMENT, end, run, start, tiny

AUDIO = ("fusion=none", "modalities=[audio]")


def runs_below(place: Path) -> list[Path]:
    return sorted(file.parent for file in place.rglob("metrics.json"))


@pytest.mark.parametrize("several", [(), ("-m", "fold=0,1")])
def test_a_gpu_that_is_not_there_ends_in_one_message(
    tmp_path: Path, several: tuple[str, ...]
) -> None:
    hidden = ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": ""}
    code, out, err = end(
        start("train.py", *several, *tiny(tmp_path, "trainer=gpu"), environment=hidden)
    )
    assert (code, out) == (1, "")
    assert re.fullmatch(
        r"error: trainer.accelerator=gpu: torch finds no GPU .* type trainer=cpu\n", err
    )
    assert not any(tmp_path.iterdir())


def test_a_sweep_trains_every_fold_and_ends_with_one_table(tmp_path: Path) -> None:
    code, out, err = run("train.py", "-m", *tiny(tmp_path, *AUDIO, "fold=0,1"))
    assert (code, err) == (0, "")
    folders = runs_below(tmp_path)
    assert [folder.parent.name for folder in folders] == ["fold0", "fold1"]
    for rule in ("last_epoch", "paper_rule"):  # one below the other, in 80 columns
        assert out.count(f"\nravdess, folds 0, 1, seed 1 (sample data), {rule}\n") == 1
    pattern = out.splitlines()[-1].strip()
    assert pattern == str(folders[0].parents[1] / "fold*" / "seed1")
    code, out, err = run("evaluate.py", f"run={pattern}", f"out={tmp_path / 'out'}")
    assert (code, err) == (0, "")
    assert "ravdess, none (audio), folds 0, 1, seed 1 (sample data)" in out


def test_a_sweep_goes_on_past_a_failure_and_ends_with_an_error(tmp_path: Path) -> None:
    overrides = tiny(tmp_path, "fusion=none", "modalities=[vidoe],[audio]")
    code, out, err = run("train.py", "-m", *overrides)
    assert code == 1
    wanted = "error: modalities=[vidoe]: modalities=['vidoe']: expected a list of some of video"
    assert err.startswith(wanted) and err.count("\n") == 1
    assert "as in modalities=[video]\n" in err  # brackets are not taken for markup
    (folder,) = runs_below(tmp_path)
    assert str(folder) in out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["epcohs=3,4"], r"epcohs: no such key, did you mean epochs\?.*batch_size"),
        (["fusion=msaf,sum", "init=magic"], r"init=magic: choose unimodal or scratch"),
        (["fold=range(0,"], r"fold=range\(0,: no viable alternative"),
        (["training.optimizer.lr=interval(0,1)"], r".*=interval\(0,1\): expected single values"),
        (["trainer=ddp", "trainer.devices=2", "fold=0,1"], r"trainer=ddp: the runs of a table"),
    ],
)
def test_a_sweep_that_makes_no_sense_ends_in_one_message(
    overrides: list[str], message: str
) -> None:
    code, out, err = run("train.py", "-m", *overrides)
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"error: {message}.*\n", err), err
