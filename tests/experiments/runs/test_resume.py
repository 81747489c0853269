"""Damage to what an interrupted run goes on from: equal figures at the end, and a word of it."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from rich.console import Console

from experiments.runs.folder import RunError
from experiments.runs.run import Run
from experiments.runs.weights import damage, read_weights
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import KilledError
from tests.experiments.runs.test_run import log_of, result

OVERRIDES = ("fusion=msaf", "init=scratch", "epochs=4")


def flip(file: Path, bits: int = 16) -> None:
    """Flip bits in the middle of what is saved, where the weights are."""
    content = bytearray(file.read_bytes())
    random = np.random.default_rng(bits)
    for place in random.integers(len(content) // 3, 2 * len(content) // 3, bits):
        content[place] ^= 1 << int(random.integers(8))
    file.write_bytes(bytes(content))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def another_archive(file: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, file)


def of_another_run(file: Path) -> None:
    content = torch.load(file, weights_only=True)
    content["callbacks"]["SaveResume"] = {"mark": "0" * 8}
    torch.save(content, file)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "found damage (the checksum of": flip,
    "found an empty file": lambda file: file.write_bytes(b""),
    "found damage (File is not a zip file)": cut,
    "found no checkpoint (KeyError)": another_archive,
    "found that of another run": of_another_run,
    "found no file": a_pipe,
}


def killed_after(epochs: int, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kill a run when it has saved so many epochs; return its folder."""
    saved, original = [], Trainer.save_checkpoint

    def dying(*args: Any, **kwargs: Any) -> None:
        if len(saved) == epochs:
            raise KilledError
        original(*args, **kwargs)
        saved.append(args)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save_checkpoint", dying)
        run = make_run(*OVERRIDES, results="killed")
        with pytest.raises(KilledError):
            run.complete()
    return run.folder.path


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_goes_on_from_the_epoch_before_a_damaged_checkpoint_or_anew(
    epochs: int, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = make_run(*OVERRIDES, results="whole")
    whole.complete()
    killed = killed_after(epochs, make_run, monkeypatch)
    shutil.copytree(tmp_path / "killed", tmp_path / "kept")
    for told, damages in DAMAGE.items():
        said = io.StringIO()
        run = make_run(*OVERRIDES, results="killed")
        run = Run(run.overrides, Console(file=said, soft_wrap=True))
        damages(run.folder.resume_checkpoints[0])
        run.complete()
        assert told in said.getvalue()
        assert ("tries resume.before.ckpt" if epochs > 1 else "starts anew") in said.getvalue()
        assert result(run) == result(whole)
        assert log_of(run) == log_of(whole)
        shutil.rmtree(tmp_path / "killed")
        shutil.copytree(tmp_path / "kept", tmp_path / "killed")
    assert killed.is_dir()


def test_a_run_starts_anew_where_both_checkpoints_or_weights_that_they_need_are_damaged(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = make_run(*OVERRIDES, results="whole")
    whole.complete()
    killed_after(3, make_run, monkeypatch)
    shutil.copytree(tmp_path / "killed", tmp_path / "kept")
    for names in (["resume.ckpt", "resume.before.ckpt"], ["paper_rule.pt"]):
        said = io.StringIO()
        run = make_run(*OVERRIDES, results="killed")
        run = Run(run.overrides, Console(file=said, soft_wrap=True))
        for name in names:
            flip(run.folder.path / "checkpoints" / name)
        run.complete()
        assert said.getvalue().count("starts anew") == 1
        assert result(run) == result(whole)
        weights = [read_weights(of.folder.weights("paper_rule")) for of in (run, whole)]
        assert all(torch.equal(x, weights[1][name]) for name, x in weights[0].items())
        shutil.rmtree(tmp_path / "killed")
        shutil.copytree(tmp_path / "kept", tmp_path / "killed")


def test_no_flipped_bit_of_saved_weights_goes_unnoticed(tmp_path: Path) -> None:
    """A flip that changes no tensor, in the padding or in a date, may pass; others may not."""
    saved = {"a": torch.randn(200, 30), "b": torch.arange(5)}
    file, random = tmp_path / "w.pt", np.random.default_rng(0)
    torch.save(saved, file)
    content, refused = file.read_bytes(), 0
    for _ in range(300):
        changed = bytearray(content)
        changed[random.integers(len(content))] ^= 1 << int(random.integers(8))
        file.write_bytes(bytes(changed))
        try:
            found = read_weights(file)
        except RunError as error:
            assert str(file) in str(error)
            refused += 1
        else:
            assert found.keys() == saved.keys()
            assert all(torch.equal(found[name], x) for name, x in saved.items())
    assert refused > 250
    file.write_bytes(content)
    assert damage(file) == ""
