"""A run from its overrides to its complete folder: what is written, skipped, refused, continued."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from hydra.errors import InstantiationException
from pytorch_lightning import Trainer
from sklearn.metrics import accuracy_score

from experiments.console import explain
from experiments.runs.folder import RunError
from experiments.runs.run import Run
from models.tasks import Joint
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import KilledError

VOLATILE = {"seconds", "finished"}


def result(run: Run) -> dict[str, Any]:
    return {k: v for k, v in run.folder.metrics().items() if k not in VOLATILE}


def log_of(run: Run) -> list[dict[str, str]]:
    with (run.folder.path / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_a_fusion_run_trains_its_unimodal_runs_first(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("fusion=msaf")
    run.complete()
    complete = {p.parent.relative_to(tmp_path / "results").parts[2:] for p in
                tmp_path.rglob("metrics.json")}  # fmt: skip
    assert {(parts[0], parts[1].split("-")[0]) for parts in complete} == {
        ("none", "audio"),
        ("none", "action_units"),
        ("msaf", "audio+action_units"),
    }
    assert not list(tmp_path.rglob("resume*.ckpt"))
    assert sorted(p.name for p in (run.folder.path / "checkpoints").iterdir()) == [
        "last_epoch.pt",
        "paper_rule.pt",
    ]


def test_fusion_runs_share_the_runs_that_they_start_from(make_run: MakeRun) -> None:
    """As a table's rows do; another fold, or other settings, start from other runs."""
    first, shared = make_run("fusion=msaf"), {}
    first = Run(first.overrides, first.console, shared)
    for overrides, same in ((["fusion=sum"], True), (["fold=1"], False), (["epochs=4"], False)):
        run = make_run("fusion=msaf", *overrides)
        run = Run(run.overrides, run.console, shared)
        pairs = list(zip(first.sources.values(), run.sources.values(), strict=True))
        assert len(pairs) == 2
        assert all((one is other) == same for one, other in pairs)
        assert all((one.folder == other.folder) == same for one, other in pairs)


def test_a_fusion_run_starts_from_the_last_epoch_of_its_unimodal_runs(make_run: MakeRun) -> None:
    """With a learning rate of zero the branches must come out as they went in."""
    run = make_run("fusion=sum")
    for source in run.sources.values():
        source.complete()
    run.cfg.training.optimizer.lr = 0.0
    run.complete()
    after = torch.load(run.folder.weights("last_epoch"), weights_only=True)
    for name, source in run.sources.items():
        before = torch.load(source.folder.weights("last_epoch"), weights_only=True)
        weights = [k for k in before if "running" not in k and "num_batches" not in k]
        assert weights
        assert all(torch.equal(before[k], after[k]) for k in weights)
        assert name in source.folder.path.parts[-3]


def test_predictions_and_metrics_agree_with_scikit_learn(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    run.complete()
    data, metrics = np.load(run.folder.path / "predictions.npz"), run.folder.metrics()
    assert list(data["ids"]) == [f"clip{i}" for i in range(48, 72)]
    for rule in ("last_epoch", "paper_rule"):
        accuracy = 100 * accuracy_score(data["labels"], data[f"scores_{rule}"].argmax(1))
        assert metrics["reported"][rule]["test"]["accuracy"] == pytest.approx(accuracy)
    accuracies = [float(row["test/accuracy"]) for row in log_of(run)]
    assert metrics["reported"]["last_epoch"]["test"]["accuracy"] == pytest.approx(accuracies[-1])
    best = metrics["reported"]["paper_rule"]
    assert best["test"]["accuracy"] == pytest.approx(max(accuracies))
    assert best["epoch"] == accuracies.index(max(accuracies))
    assert metrics["parameters"]["total"] == sum(
        v.numel()
        for k, v in torch.load(run.folder.weights("last_epoch"), weights_only=True).items()
        if "running" not in k and "num_batches" not in k
    )


def test_a_validation_split_selects_and_becomes_the_headline(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]", "+datamodule.splits=2")
    run.complete()
    metrics, rows = run.folder.metrics(), log_of(run)
    assert metrics["headline"] == "val_selected"
    chosen = metrics["reported"]["val_selected"]
    validation = [float(row["validation/accuracy"]) for row in rows]
    assert chosen["epoch"] == validation.index(max(validation))
    assert chosen["test"]["accuracy"] == pytest.approx(
        float(rows[chosen["epoch"]]["test/accuracy"])
    )


def test_a_complete_run_is_skipped(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    run.complete()
    before = (run.folder.path / "metrics.json").stat().st_mtime_ns
    make_run("fusion=none", "modalities=[audio]").complete()
    assert (run.folder.path / "metrics.json").stat().st_mtime_ns == before


def test_the_same_settings_in_other_words_are_the_same_run(make_run: MakeRun) -> None:
    make_run("fusion=none", "modalities=[audio]").complete()
    again = make_run("fusion=none", "modalities=[audio]", "threads=1", "init=scratch")
    assert again.folder.complete


@pytest.mark.parametrize("moment", ["in the middle of an epoch", "while the checkpoint is written"])
def test_a_killed_run_ends_with_the_same_figures(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Dropout, order, schedule, Adam's moments, chosen epochs, the log: to the last digit."""
    overrides = [
        "fusion=msaf",
        "init=scratch",
        "epochs=4",
        "training.scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR,"
        " _partial_: true, gamma: 0.5}",
    ]
    whole = make_run(*overrides, results="whole")
    whole.complete()
    calls = {"n": 0}
    victim: Any
    if moment == "in the middle of an epoch":
        victim, name, last = Joint, "step", 15  # six batches an epoch: in the third epoch
    else:
        victim, name, last = Trainer, "save_checkpoint", 2
    original = getattr(victim, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls["n"] += 1
        if calls["n"] == last:
            raise KilledError
        return original(*args, **kwargs)

    monkeypatch.setattr(victim, name, dying)
    with pytest.raises(KilledError):
        make_run(*overrides, results="killed").complete()
    monkeypatch.setattr(victim, name, original)
    continued = make_run(*overrides, results="killed")
    assert continued.folder.resume_checkpoints[0].exists()
    continued.complete()
    assert result(continued) == result(whole)
    assert log_of(continued) == log_of(whole)
    files = [run.folder.weights("last_epoch") for run in (whole, continued)]
    ends = [torch.load(file, weights_only=True) for file in files]
    assert all(torch.equal(ends[0][k], ends[1][k]) for k in ends[0])


def test_settings_that_alter_a_result_alter_the_hash_and_others_do_not(make_run: MakeRun) -> None:
    base = make_run("fusion=msaf", "init=scratch").hash
    same = ["results=elsewhere", "logger=wandb", "progress=true", "fold=3", "seed=9",
            "task.branches.video.width=32"]  # fmt: skip
    for word in same:
        assert make_run("fusion=msaf", "init=scratch", word).hash == base, word
    other = ["epochs=4", "batch_size=4", "threads=2", "training.optimizer.lr=0.01", "fusion=sum",
             "init=unimodal", "protocol=released", "modalities=[action_units,audio]",
             "task.branches.audio.width=16", "trainer.gradient_clip_val=1"]  # fmt: skip
    hashes = [make_run("fusion=msaf", "init=scratch", word).hash for word in other]
    assert len({base, *hashes}) == len(other) + 1


def test_weights_chosen_on_the_test_data_make_another_run_and_are_named(make_run: MakeRun) -> None:
    """The released protocol starts from them; its runs must not pass for runs that do not."""
    chosen = make_run("fusion=sum", "protocol=released")
    last = make_run("fusion=sum", "protocol=released", "protocol.init_from=last_epoch")
    assert chosen.hash != last.hash
    chosen.complete()
    assert chosen.folder.metrics()["starts_from"] == "paper_rule"
    source = chosen.sources["audio"].folder
    assert source.metrics()["starts_from"] is None


def test_the_folder_names_what_was_changed(make_run: MakeRun) -> None:
    run = make_run("fusion=msaf", "init=scratch", "fold=2", "seed=5")
    parts = run.folder.path.parts[-6:]
    assert parts[:3] == ("ravdess", "full", "msaf")
    assert parts[4:] == ("fold2", "seed5")
    assert parts[3].startswith("audio+action_units-paper-")
    assert "initscratch" in parts[3] and parts[3].endswith(run.hash)


def test_two_jobs_cannot_have_the_same_folder(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    with (
        run.folder.locked(wait=False),
        pytest.raises(RunError, match="another job is working in"),
    ):
        make_run("fusion=none", "modalities=[audio]").complete()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["fusion=none"], r"modalities=\[audio\]"),
        (["fusion=msaf", "modalities=[audio]"], "at least two modalities"),
        (["fusion=msaf", "init=magic"], "choose unimodal or scratch"),
        (["fusion=msaf", "modalities=[audio,audio]"], "each one can be there once"),
        (["fusion=msaf", "epochs=0"], "epochs=0: expected a whole number"),
        (["fusion=msaf", "batch_size=few"], "batch_size=few: expected a whole number"),
        (["fusion=msaf", "protocol.init_from=paper_rule"], "chosen on the test data"),
        (["data=full", "data.root=???"], "data.root="),
        (["data=sample"], "nowhere names a packed set of your own.*data=full data.root=nowhere"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    make_run: MakeRun, overrides: list[str], message: str
) -> None:
    with pytest.raises(RunError, match=message):
        make_run(*overrides)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("training.optimizer.lr=abc", r"training.optimizer: it does not take lr=abc: "),
        ("training.optimizer.lr=-1", r"training.optimizer: it does not take lr=-1: Invalid learn"),
        (
            "training.scheduler={_target_: torch.optim.lr_scheduler.StepLR, _partial_: true}",
            r"training.scheduler: it does not take its defaults: .*step_size",
        ),
    ],
)
def test_settings_that_the_optimizer_refuses(make_run: MakeRun, word: str, message: str) -> None:
    run = make_run("fusion=none", "modalities=[audio]", word)
    with pytest.raises(RunError, match=message):
        run.complete()


def test_half_written_metrics_are_reported_with_their_file(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    run.complete()
    (run.folder.path / "metrics.json").write_text('{"hash": ')
    with pytest.raises(RunError, match=r"metrics.json is not valid JSON"):
        run.folder.metrics()


def test_metrics_of_something_else_are_refused(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    run.complete()
    (run.folder.path / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match=r"expected what train\.py writes"):
        run.folder.metrics()


def test_the_configuration_in_the_folder_is_the_resolved_one(make_run: MakeRun) -> None:
    run = make_run("fusion=none", "modalities=[audio]")
    run.complete()
    text = (run.folder.path / "config.yaml").read_text()
    assert "${" not in text
    assert json.loads((run.folder.path / "metrics.json").read_text())["hash"] == run.hash


def test_the_device_changes_neither_the_hash_nor_the_name_of_a_run(make_run: MakeRun) -> None:
    plain, *others = (make_run(f"trainer={name}") for name in ("default", "cpu", "gpu"))
    assert [run.cfg.trainer.accelerator for run in (plain, *others)] == ["auto", "cpu", "gpu"]
    assert all(run.folder == plain.folder for run in others)


def test_the_device_may_be_named(make_run: MakeRun) -> None:
    """It is no part of what a run is, and as welcome as the choice of a trainer."""
    run = make_run("trainer.accelerator=cpu")
    run.refuse_idle()
    assert run.hash == make_run().hash


def test_a_complete_run_is_skipped_where_nothing_can_be_written(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ("fusion=none", "modalities=[audio]", "epochs=1")
    made = make_run(*overrides).complete()

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert make_run(*overrides).complete() == made
    with pytest.raises(PermissionError):
        make_run(*overrides, "rerun=true").complete()


@pytest.mark.parametrize(
    ("override", "said"),
    [("training.optimizer.lr=fast", "it does not take lr=fast"),
     ("trainer.precision=99", "Precision 99 is invalid"),
     ("task.branches.action_units.dropout=some", "not supported between")],
)  # fmt: skip
def test_a_run_that_fails_at_once_leaves_nothing_behind(
    make_run: MakeRun, tmp_path: Path, override: str, said: str
) -> None:
    modality = "action_units" if "action_units" in override else "audio"
    run = make_run("fusion=none", f"modalities=[{modality}]", "epochs=1", override)
    with pytest.raises((ValueError, InstantiationException), match=said) as found:
        run.complete()
    assert "\n" not in explain(found.value)
    assert not list((tmp_path / "results").rglob("*.*"))
    assert not run.folder.path.exists()


def test_the_number_of_epochs_has_one_home(make_run: MakeRun) -> None:
    with pytest.raises(RunError, match="the number of epochs is set by epochs=7 alone"):
        make_run("fusion=none", "modalities=[audio]", "trainer.max_epochs=7")


@pytest.mark.parametrize(
    ("error", "said"),
    [(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."), "workers=0"),
     (torch.OutOfMemoryError("CUDA out of memory"), "batch_size=8; choose a smaller one")],
)  # fmt: skip
def test_memory_that_ran_out_is_named(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def out_of_memory(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Joint, "step", out_of_memory)
    with pytest.raises(RunError, match=f"memory ran out.*{said}"):
        make_run("fusion=none", "modalities=[audio]", "epochs=1").complete()
