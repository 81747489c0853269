"""A run knows the code that made it: a notice, a way to make it again, and a run of two codes."""

import hashlib
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning import Trainer
from rich.console import Console

from experiments.evaluation.finished import find_runs
from experiments.runs import callbacks, folder, sources
from experiments.runs.run import Run
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import KilledError

AUDIO = ("fusion=none", "modalities=[audio]", "epochs=1")


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend that the sources have been edited, or put back."""

    def pretend(found: str) -> None:
        for module in (folder, callbacks):
            monkeypatch.setattr(module, "sources_hash", lambda: found)

    return pretend


def complete(run: Run) -> str:
    """Complete a run and return what was printed."""
    said = io.StringIO()
    for one in (run, *run.sources.values()):
        one.console = Console(file=said, width=500)
    run.complete()
    return said.getvalue()


def finished(run: Run) -> int:
    return (run.folder.path / "metrics.json").stat().st_mtime_ns


def test_the_hash_is_of_names_and_bytes_of_what_can_alter_a_result(tmp_path: Path) -> None:
    for package in ("msaf", "models", "datamodules", "experiments/runs", "experiments/tables"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "a.py").write_text("x = 1\n")
    lines = [
        f"{package}/a.py {hashlib.sha256(b'x = 1' + chr(10).encode()).hexdigest()}\n"
        for package in ("msaf", "models", "datamodules", "experiments/runs")
    ]
    before = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert sources.sources_hash.__wrapped__(tmp_path) == before
    (tmp_path / "experiments/tables/a.py").write_text("x = 2\n")
    (tmp_path / "models" / "notes.txt").write_text("no code")
    assert sources.sources_hash.__wrapped__(tmp_path) == before
    (tmp_path / "models/a.py").write_text("x = 2\n")
    edited = sources.sources_hash.__wrapped__(tmp_path)
    (tmp_path / "models/a.py").rename(tmp_path / "models/b.py")
    assert len({before, edited, sources.sources_hash.__wrapped__(tmp_path)}) == 3


def test_metrics_name_the_sources_and_the_commit(make_run: MakeRun) -> None:
    run = make_run(*AUDIO)
    run.complete()
    assert run.folder.metrics()["sources"] == sources.sources_hash()
    root = Path(__file__).parents[3]
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    known = done.stdout.strip() if done.returncode == 0 else None
    assert (run.folder.metrics()["commit"] or "").removesuffix("-dirty") == (known or "")


def test_without_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert sources.commit.__wrapped__(tmp_path) is None


def test_a_run_of_other_sources_is_reused_with_a_notice(make_run: MakeRun, edit: Any) -> None:
    run = make_run(*AUDIO)
    complete(run)
    before = finished(run)
    assert complete(make_run(*AUDIO)).strip().endswith(f"complete already, in {run.folder.path}")
    edit("edited")
    said = complete(make_run(*AUDIO))
    assert "complete already" in said and "made by other sources (" in said
    assert "rerun=true makes it again" in said
    assert finished(run) == before


def test_a_rerun_replaces_the_run_once_it_is_complete(make_run: MakeRun) -> None:
    run = make_run(*AUDIO)
    complete(run)
    before, metrics = finished(run), run.folder.metrics()
    again = make_run(*AUDIO, "rerun=true")
    assert again.folder == run.folder and again.hash == run.hash
    complete(again)
    assert finished(run) != before
    assert run.folder.metrics()["reported"] == metrics["reported"]
    assert not run.folder.rerun.path.exists()
    assert sorted(path.name for path in (run.folder.path / "checkpoints").iterdir()) == [
        "last_epoch.pt",
        "paper_rule.pt",
    ]


def test_what_a_rerun_starts_from_is_made_again_only_after_an_edit(
    make_run: MakeRun, edit: Any
) -> None:
    overrides = ("fusion=sum", "epochs=1")
    run = make_run(*overrides)
    complete(run)
    audio, action_units = run.sources.values()
    before = [finished(one) for one in (audio, action_units, run)]
    complete(make_run(*overrides, "rerun=true"))
    now = [finished(one) for one in (audio, action_units, run)]
    assert now[:2] == before[:2] and now[2] != before[2]
    edit("edited")
    complete(make_run(*overrides, "rerun=true"))
    assert finished(audio) != before[0] and finished(action_units) != before[1]
    assert run.folder.metrics()["sources"] == "edited"


def test_a_killed_rerun_leaves_the_run_before_and_goes_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    overrides = ("fusion=none", "modalities=[audio]", "epochs=3")
    run = make_run(*overrides)
    complete(run)
    metrics, original, calls = run.folder.metrics(), Trainer.save_checkpoint, []

    def dying(self: Trainer, *args: Any, **kwargs: Any) -> None:
        calls.append(self.current_epoch)
        if len(calls) == 2:
            raise KilledError
        original(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "save_checkpoint", dying)
    with pytest.raises(KilledError):
        complete(make_run(*overrides, "rerun=true"))
    assert run.folder.metrics() == metrics
    assert run.folder.rerun.resume_checkpoints[0].exists()
    assert [found.folder for found in find_runs(str(tmp_path / "results"))] == [run.folder]
    complete(make_run(*overrides, "rerun=true"))
    assert calls == [0, 1, 1, 2]  # the second epoch once more, not the first
    assert run.folder.metrics()["reported"] == metrics["reported"]


@pytest.mark.parametrize("moved", range(4))
def test_a_rerun_that_is_killed_while_it_moves_in_is_moved_in_later(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    run = make_run(*AUDIO)
    complete(run)
    original, count = Path.replace, iter(range(100))

    def dying(self: Path, target: Path) -> Path:
        moves_in = self.parent.name == folder.RERUN and target.parent.name != folder.RERUN
        if moves_in and next(count) == moved:
            raise KilledError
        return original(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KilledError):
        complete(make_run(*AUDIO, "rerun=true"))
    monkeypatch.setattr(Path, "replace", original)
    assert not run.folder.complete
    assert "complete already" in complete(make_run(*AUDIO))
    assert run.folder.complete and not run.folder.rerun.path.exists()
    assert run.folder.weights("last_epoch").exists()


def test_a_run_that_goes_on_after_an_edit_is_of_both_sources(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, edit: Any
) -> None:
    overrides = ("fusion=none", "modalities=[audio]", "epochs=2")
    original = Trainer.save_checkpoint

    def dying(self: Trainer, *args: Any, **kwargs: Any) -> None:
        if self.current_epoch == 1:
            raise KilledError
        original(self, *args, **kwargs)

    edit("one")
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Trainer, "save_checkpoint", dying)
        complete(make_run(*overrides))
    edit("other")
    run = make_run(*overrides)
    complete(run)
    assert run.folder.metrics()["sources"] == "one+other"
    assert run.folder.outdated
