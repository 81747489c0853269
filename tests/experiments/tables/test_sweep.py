"""Sweeps: which runs they are, in which order, what is printed at the end; devices made up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.errors import HydraException
from rich.console import Console
from scipy import stats

from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.tables.plan import Job, Plan
from experiments.tables.sweep import Combination, combinations, plan_sweep
from experiments.tables.sweep_report import print_sweep
from tests.commands import ENVIRONMENT, run, tiny
from tests.experiments.conftest import OVERRIDES, MakeRun
from tests.experiments.finished import finished_run

FUSIONS = ("sum", "uniform", "msaf", "concat")


def test_combinations_are_those_of_hydras_own_sweeper(make_run: MakeRun) -> None:
    found = combinations(
        ["task=ravdess", "fusion=sum,msaf", "fold=range(0,2)", "seed=1", "+a={b:[1,2],c:0},{b:3}"]
    )
    assert found[0] == Combination(
        "fusion=sum +a={b:[1, 2], c:0}", found[0].overrides, ("fusion", "+a")
    )
    assert [one.row for one in found[:3]] == [
        "fusion=sum +a={b:[1, 2], c:0}", "fusion=sum +a={b:3}", "fusion=sum +a={b:[1, 2], c:0}"
    ]  # fmt: skip
    texts = [list(one.overrides) for one in found]
    assert texts[1] == ["task=ravdess", "fusion=sum", "fold=0", "seed=1", "+a={b:3}"]
    assert [t[1:3] for t in texts[::2]] == [
        [f"fusion={fusion}", f"fold={fold}"] for fusion in ("sum", "msaf") for fold in (0, 1)
    ]
    assert [one.row for one in combinations(["fusion=glob(m*,exclude=[mc*,mf*,mi*,mu*])"])] == [
        "fusion=mmtm", "fusion=msaf"
    ]  # fmt: skip


def test_folds_that_are_protocols_have_rows_and_seeds_have_none(make_run: MakeRun) -> None:
    found = combinations(["task=ntu", "fold=cs,cv", "seed=1,2"])
    assert [one.row for one in found] == ["fold=cs", "fold=cs", "fold=cv", "fold=cv"]
    assert {one.row for one in combinations(["fold=0,1", "seed=1,2"])} == {""}


def test_a_continuous_sweep_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(HydraException, match=r"lr=interval\(0,1\): expected single values"):
        combinations(["lr=interval(0,1)"])


def test_shared_runs_are_planned_once_and_first(make_run: MakeRun, tmp_path: Path) -> None:
    arguments = [*OVERRIDES, f"results={tmp_path}", "fusion=sum,msaf,none", "fold=range(0,3)"]
    todo = plan_sweep(combinations(arguments))
    first, then = todo.stages
    assert [folder.path.parts[-4] for folder in first] == ["none"] * 6  # 2 modalities, 3 folds
    places = [(folder.path.parts[-4], folder.path.parts[-2]) for folder in then]
    assert places == [(name, f"fold{k}") for name in ("sum", "msaf") for k in range(3)]
    assert list(todo.refused) == ["fusion=none"] and "name it" in todo.refused["fusion=none"]
    assert not any(tmp_path.iterdir())


def test_a_row_that_would_repeat_another_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    arguments = [*OVERRIDES, f"results={tmp_path}", "fusion=sum,msaf", "points=[late],[middle]"]
    todo = plan_sweep(combinations(arguments))
    assert list(todo.rows) == ["fusion=msaf points=[late]", "fusion=msaf points=[middle]"]
    for point in ("late", "middle"):
        reason = todo.refused[f"fusion=sum points=[{point}]"]
        assert reason.startswith(f"points=[{point}]: nothing of this run depends on it")


def test_an_override_without_any_effect_ends_a_sweep(make_run: MakeRun, tmp_path: Path) -> None:
    arguments = [*OVERRIDES, f"results={tmp_path}", "fusion=sum,concat", "points=[late]"]
    with pytest.raises(RunError, match=r"^points=\[late\]: no row depends on it; leave it out$"):
        plan_sweep(combinations(arguments))
    acts = ["fusion=sum,msaf", "points=[late]"]  # for one of the two
    assert not plan_sweep(combinations([*arguments[:-2], *acts])).refused


def printed(rows: dict[str, list[RunFolder]], width: int = 80) -> tuple[str, list[str]]:
    jobs = {name: [Job(Overrides(), place, ()) for place in row] for name, row in rows.items()}
    todo = Plan.of(jobs, [job for row in jobs.values() for job in row], {}, rerun=False)
    console = Console(width=width, soft_wrap=True)
    with console.capture() as out:
        broken = print_sweep(todo, console)
    return out.get(), broken


def test_the_table_has_means_and_errors_and_says_where_the_runs_are(tmp_path: Path) -> None:
    rows: dict[str, list[RunFolder]] = {}
    for name, skill in (("skill=1", 1.0), ("skill=3", 3.0)):
        rows[name] = [
            RunFolder(finished_run(tmp_path / name, fold=fold, seed=seed, skill=skill))
            for fold in range(3)
            for seed in (1, 2)
        ]
    rows["skill=1"].append(RunFolder(tmp_path / "skill=1" / "fold3" / "seed1"))  # not done
    text, broken = printed(rows)
    assert text.splitlines()[1] == "ravdess, folds 0, 1, 2, seeds 1, 2"
    assert max(map(len, text.splitlines()[:7])) <= 80
    for name, wanted in (("skill=1", 7), ("skill=3", 6)):
        line = next(line for line in text.splitlines() if line.startswith(name))
        for rule in ("last_epoch", "paper_rule"):
            values = np.array([
                [json.loads((tmp_path / name / f"fold{k}/seed{s}/metrics.json").read_text())
                 ["reported"][rule]["test"]["accuracy"] for s in (1, 2)] for k in range(3)
            ])  # fmt: skip
            folds = values.mean(axis=1)
            assert f"{folds.mean():.1f} ± {stats.sem(folds):.1f}" in line
        assert line.endswith(f"6 of {wanted}")
        assert f"    {tmp_path / name}/fold*/seed*\n" in text
    assert "mean ± standard error over 3 folds, seeds averaged within each\n" in text
    assert "last_epoch is the headline" in text and not broken
    (rows["skill=3"][0].path / "metrics.json").write_text("{")
    text, broken = printed(rows)
    assert "5 of 6" in text and len(broken) == 1 and "skill=3/fold0/seed1" in broken[0]


def test_nothing_complete_prints_nothing(tmp_path: Path) -> None:
    assert printed({"a": [RunFolder(tmp_path)]}) == ("", [])


def test_two_processes_share_two_devices_and_the_unimodal_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up devices: nothing here asks for CUDA, and a process without it trains on the CPU."""
    (tmp_path / "locks").mkdir()
    monkeypatch.setitem(ENVIRONMENT, "CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(tmp_path / "locks"))
    monkeypatch.setitem(ENVIRONMENT, "SEEN", str(tmp_path / "seen.txt"))
    results = tmp_path / "results"
    overrides = tiny(results, f"fusion={','.join(FUSIONS)}", "epochs=1")
    code, out, err = run(
        "train.py", "-m", *overrides, "datamodule._target_=tests.experiments.fakes.SeeingData",
        "hydra/launcher=joblib", "hydra.launcher.n_jobs=2",
    )  # fmt: skip
    assert (code, err) == (0, "")
    made = [file.parts[len(results.parts) + 2] for file in results.rglob("metrics.json")]
    assert sorted(made) == sorted(["none", "none", *FUSIONS])
    seen = [line.split() for line in (tmp_path / "seen.txt").read_text().splitlines()]
    assert len(seen) == 6  # one for each run: no run was begun twice
    by_process: dict[str, Any] = {}
    for process, device, _ in seen:
        by_process.setdefault(process, set()).add(device)
    assert sorted(map(sorted, by_process.values())) == [["0"], ["1"]]
    assert {modalities for *_, modalities in seen[:2]} == {"audio", "action_units"}
    assert all(f"fusion={fusion}" in out for fusion in FUSIONS)
