"""A small table on tiny data, from nothing to its files: every figure worked out again here."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from scipy import stats

from experiments.console import command, console, readable_errors
from experiments.runs.compose import check, compose
from experiments.runs.folder import RunError
from experiments.runs.idle import idle
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables import launch as module
from experiments.tables.devices import SHARED
from experiments.tables.reproduce import Wish
from experiments.tables.table import load_tables
from tests.experiments.conftest import CONFIGS
from tests.experiments.small_table import TABLE, accuracies, configs_with, fill

RULES = ("paper_rule", "last_epoch")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The small table, filled once; its place and what was printed."""
    place = tmp_path_factory.mktemp("small")
    configs_with(place, small=TABLE)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert fill(place, "table=small", "progress=true") == 0
    return place, printed.getvalue()


BOTH = "audio+action_units"
RUNS = {
    "audio": ("none", "audio"),
    "action units": ("none", "action_units"),
    "sum (ours)": ("sum", BOTH),
    "average": ("average", BOTH),
    "MSAF": ("msaf", BOTH),
}


def read_csv(place: Path) -> dict[str, dict[str, str]]:
    with (place / "results" / "tablesmall.csv").open() as file:
        return {row["row"]: row for row in csv.DictReader(file)}


def test_every_figure_is_what_the_runs_say(small: tuple[Path, str]) -> None:
    place, _ = small
    rows = read_csv(place)
    assert list(rows) == list(RUNS)
    errors = []
    for name, run in RUNS.items():
        for rule in RULES:
            folds = accuracies(place, *run, rule).mean(axis=1)
            expected = f"{np.mean(folds):.1f} ± {stats.sem(folds):.1f}"
            errors.append(stats.sem(folds))
            assert rows[name][f"accuracy ({rule})"] == expected
            paired = accuracies(place, *run, rule) - accuracies(place, *RUNS["MSAF"], rule)
            folds = paired.mean(axis=1)
            expected = f"{np.mean(folds):+.1f} ± {stats.sem(folds):.1f}"
            assert rows[name][f"against MSAF ({rule})"] == ("" if name == "MSAF" else expected)
    assert np.count_nonzero(errors) > 4  # the folds differ, so the errors are put to the test


def test_json_holds_the_figures_in_full(small: tuple[Path, str]) -> None:
    place, _ = small
    content = json.loads((place / "results" / "tablesmall.json").read_text())
    for line, run in zip(content["lines"], RUNS.values(), strict=True):
        for rule in RULES:
            folds = accuracies(place, *run, rule).mean(axis=1)
            found = line["figures"][rule]["accuracy"]
            assert found["mean"] == pytest.approx(np.mean(folds), rel=1e-12)
            assert found["error"] == pytest.approx(stats.sem(folds), rel=1e-12)
            assert (found["units"], found["unit"], found["runs"]) == (2, "folds", 4)


def test_the_printed_means_and_errors_follow_from_the_runs_in_the_json(
    small: tuple[Path, str],
) -> None:
    """What anybody can do with the file alone."""
    place, _ = small
    content = json.loads((place / "results" / "tablesmall.json").read_text())
    rows = read_csv(place)
    for line, (name, run) in zip(content["lines"], RUNS.items(), strict=True):
        for rule in RULES:
            by_fold: dict[int, list[float]] = {0: [], 1: []}
            for one in line["measured"]:
                by_fold[one["fold"]].append(one["figures"][rule]["accuracy"])
            folds = np.array([np.mean(seeds) for seeds in by_fold.values()])
            assert np.allclose(folds, accuracies(place, *run, rule).mean(axis=1), atol=1e-9)
            expected = f"{folds.mean():.1f} ± {stats.sem(folds):.1f}"
            assert rows[name][f"accuracy ({rule})"] == expected
        assert [(one["fold"], one["seed"]) for one in line["measured"]] == [
            (0, 1), (1, 1), (0, 2), (1, 2)
        ]  # fmt: skip
        assert all(len(one["hash"]) == 8 and len(one["sources"]) > 8 for one in line["measured"])


def test_parameters_stand_in_their_columns_and_no_figure_of_other_data(
    small: tuple[Path, str],
) -> None:
    place, _ = small
    row = read_csv(place)["MSAF"]
    assert row["paper #Params"] == "25.94M" and "paper accuracy" not in row
    assert row["runs"] == "4 of 4" and row["data"] == "sample"
    file = next(place.glob("results/ravdess/full/msaf/*/fold0/seed1/metrics.json"))
    metrics = json.loads(file.read_text())
    assert row["ours, this run"] == f"{metrics['parameters']['total'] / 1e6:.2f}M"
    with_heads = metrics["paper_size_parameters"]["with_heads"]
    assert row["ours, paper's size"] == f"{with_heads / 1e6:.2f}M"


def test_a_table_of_complete_runs_counts_no_parameters_again(
    small: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = small
    before = read_csv(place)
    monkeypatch.delattr("experiments.runs.complexity.paper_size_parameters")
    assert fill(place, "table=small") == 0
    assert read_csv(place) == before


def test_files_say_what_they_stand_on(small: tuple[Path, str]) -> None:
    place, _ = small
    text = (place / "results" / "tablesmall.md").read_text()
    runs = [json.loads(f.read_text()) for f in place.rglob("metrics.json")]
    assert text.startswith("# A small table (sample data)")
    for said in (
        "Data: **sample**",
        runs[0]["manifest"][:12],
        "protocol paper",
        "folds 0, 1; seeds 1, 2",
        "overrides: task=ravdess",
        "epochs=2",
        "over: 2 folds, seeds averaged within each.",
        "`paper_rule` takes the best epoch on the test data",
        "* sum: a control.",
        "The paper's figures are of other data and stand in no column here.",
    ):
        assert said in text, said
    assert all(run["hash"] in text for run in runs)
    assert str(place) not in text and "nowhere" not in text  # no folder of this machine
    latex = (place / "results" / "tablesmall.tex").read_text()
    assert "(sample data)" in latex and "$\\pm$" in latex and latex.count(r"\\") == 7


def test_shows_the_runs_done_and_the_time_left(small: tuple[Path, str]) -> None:
    _, out = small
    counts = [int(n) for n in re.findall(r"^(\d+) of 20 runs complete", out, re.MULTILINE)]
    assert counts == sorted(counts) and counts[-1] == 20
    assert len(counts) == 1 or re.search(r"of 20 runs complete, about 0:00:\d\d left", out)


def test_unimodal_runs_come_first(small: tuple[Path, str]) -> None:
    place, _ = small
    times = {file.parents[3].name: file.stat().st_mtime_ns for file in place.rglob("metrics.json")}
    assert len(list(place.rglob("metrics.json"))) == 20
    assert times["none"] < min(times["sum"], times["average"], times["msaf"])


def test_a_second_call_runs_nothing_and_an_interrupted_one_goes_on(
    small: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "again"
    shutil.copytree(small[0], place)
    whole = (place / "results" / "tablesmall.json").read_text()
    launched: list[Overrides] = []
    original = module.launch

    def launch(jobs: Any, launcher: Overrides) -> list[str]:
        launched.extend(jobs)
        return original(jobs, launcher)

    monkeypatch.setattr(module, "launch", launch)
    assert fill(place, "table=small") == 0
    assert not launched
    lost = next(place.glob("results/ravdess/full/msaf/*/fold1/seed2"))
    shutil.rmtree(lost)
    (place / "results" / "tablesmall.json").unlink()
    assert fill(place, "table=small") == 0
    (job,) = launched
    assert "fusion=msaf" in list(job) and list(job)[-2:] == ["fold=1", "seed=2"]
    assert (place / "results" / "tablesmall.json").read_text() == whole


def test_a_run_that_cannot_be_read_is_named_and_the_table_written_without_it(
    small: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "broken"
    shutil.copytree(small[0], place)
    cut_off = next(place.glob("results/ravdess/full/sum/*/fold1/seed2/metrics.json"))
    cut_off.write_text(cut_off.read_text()[:100])
    no_text = next(place.glob("results/ravdess/full/msaf/*/fold0/seed1/metrics.json"))
    no_text.write_bytes(b"\xff\xfe\x00")
    (place / "results" / "tablesmall.csv").unlink()
    assert fill(place, "table=small") == 1
    runs = {name: row["runs"] for name, row in read_csv(place).items()}
    assert runs == dict.fromkeys(RUNS, "4 of 4") | {"sum (ours)": "3 of 4", "MSAF": "3 of 4"}
    err = capsys.readouterr().err
    assert all(f"error: {file} is not valid JSON" in err for file in (cut_off, no_text))


def test_a_metric_that_no_run_has_is_named(small: tuple[Path, str], tmp_path: Path) -> None:
    place = tmp_path / "metric"
    shutil.copytree(small[0], place)
    file = place / "configs" / "table" / "small.yaml"
    file.write_text(TABLE.replace("metrics: [accuracy]", "metrics: [acuracy]"))
    with pytest.raises(RunError, match="metrics: acuracy: the runs report accuracy"):
        fill(place, "table=small")


def test_dry_run_lists_and_runs_nothing(tmp_path: Path) -> None:
    configs_with(tmp_path, small=TABLE)
    with console.capture() as capture:
        assert fill(tmp_path, "table=small", "dry_run=true") == 0
    lines = capture.get().splitlines()
    assert lines[-1] == "0 of 20 runs complete"
    assert [("/none/" in line) for line in lines[:-1]] == [True] * 8 + [False] * 12
    assert all(line.startswith("missing") for line in lines[:-1])
    assert not (tmp_path / "results").exists()


BROKEN = """
  - {name: refused, overrides: [fusion=msaf, fusion.mid.lowest_attention=7]}
  - {name: no fold, overrides: [fusion=sum, "modalities=[audio]"]}
  - {name: raises, overrides: [fusion=sum, +training.optimizer.colour=red]}
"""


def test_failing_rows_are_reported_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs_with(tmp_path, small=TABLE + BROKEN)
    assert fill(tmp_path, "table=small", "seeds=[1]", "init=scratch", "epochs=1") == 1
    rows = read_csv(tmp_path)
    assert [row["runs"] for row in rows.values()] == ["2 of 2"] * 5 + ["0 of 2"] * 3
    assert all(rows[name]["accuracy (last_epoch)"] == "" for name in ("refused", "raises"))
    err = capsys.readouterr().err
    assert "row no fold: fusion=sum needs at least two modalities" in err
    assert re.search(r"error: \S+/fold0/seed1: lowest_attention\b", err), err
    assert re.search(r"error: \S+/fold1/seed1: training.optimizer: .*colour", err), err
    assert "Traceback" not in err


def test_a_failing_unimodal_run_stops_only_the_runs_that_start_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configs_with(tmp_path, small=TABLE)
    original = Run._make

    def make(self: Run) -> None:
        if list(self.cfg.modalities) == ["audio"] and self.cfg.fold == 1:
            raise MemoryError("no memory for [fold 1]")
        original(self)

    monkeypatch.setattr(Run, "_make", make)
    assert fill(tmp_path, "table=small", "seeds=[1]", "epochs=1") == 1
    runs = {name: row["runs"] for name, row in read_csv(tmp_path).items()}
    assert runs == dict.fromkeys(RUNS, "1 of 2") | {"action units": "2 of 2"}
    err = capsys.readouterr().err
    assert err.count("MemoryError: no memory for [fold 1]") == 2  # at once, and at the end
    assert len(re.findall(r"starts from a run that failed, \S+/none/audio\S+/fold1", err)) == 3


def test_a_new_row_is_three_lines_of_yaml(small: tuple[Path, str], tmp_path: Path) -> None:
    place = tmp_path / "more"
    shutil.copytree(small[0], place)
    with (place / "configs" / "table" / "small.yaml").open("a") as file:
        file.write(
            """
  - name: MSAF without BlockDropout
    overrides: [fusion=msaf, fusion.mid.block_dropout=0]
    ours: true
"""
        )
    assert fill(place, "table=small") == 0
    assert read_csv(place)["MSAF without BlockDropout (ours)"]["runs"] == "4 of 4"
    assert len(list(place.rglob("metrics.json"))) == 24


def test_the_same_runs_under_other_words_are_planned_once(tmp_path: Path) -> None:
    twin = "  - {name: twin, overrides: [fusion=msaf, fusion.mid.lowest_attention=0.0]}"
    configs_with(tmp_path, small=TABLE + twin)
    with console.capture() as capture:
        assert fill(tmp_path, "table=small", "dry_run=true", "folds=[cs]", "seeds=[7]") == 0
    lines = capture.get().splitlines()
    assert lines[-1] == "0 of 5 runs complete"
    assert all(line.endswith("/foldcs/seed7") for line in lines[:-1])


def test_jobs_of_other_processes_fill_the_same_table(
    small: tuple[Path, str], tmp_path: Path
) -> None:
    configs_with(tmp_path, small=TABLE)
    overrides = ["table=small", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "progress=true"]
    with console.capture() as capture:
        assert fill(tmp_path, *overrides, "folds=[0]", "seeds=[1]") == 0
    assert "epoch 1/2" not in capture.get()  # the table's own progress alone
    name = "results/ravdess/full/msaf/*/fold0/seed1/metrics.json"
    here, there = (json.loads(next(p.glob(name)).read_text()) for p in (small[0], tmp_path))
    assert here["hash"] == there["hash"] and here["reported"] == there["reported"]


AUDIO_ROW = TABLE[: TABLE.index("  - {name: action")].replace("MSAF", "audio")


@pytest.mark.slow
def test_jobs_of_submitit_fill_a_table(
    small: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(CONFIGS).parent))
    configs_with(tmp_path, small=AUDIO_ROW)
    assert fill(tmp_path, "table=small", "seeds=[1]", "hydra/launcher=submitit_local") == 0
    for fold in (0, 1):
        name = f"results/ravdess/full/none/audio-*/fold{fold}/seed1/metrics.json"
        here, there = (json.loads(next(p.glob(name)).read_text()) for p in (small[0], tmp_path))
        assert here["hash"] == there["hash"] and here["reported"] == there["reported"]
    assert len(list(tmp_path.glob("results/.sweep/.submitit/*/*_0_log.out"))) == 2


@pytest.mark.skipif(shutil.which("sbatch") is not None, reason="there is a cluster here")
def test_without_a_cluster_its_absence_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    configs_with(tmp_path, small=AUDIO_ROW)
    overrides = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=any"]
    overrides += ["hydra.launcher.gpus_per_node=1", "hydra.launcher.array_parallelism=8"]
    assert fill(tmp_path, "table=small", "folds=[0]", "seeds=[1]", *overrides) == 1
    assert re.search(r"error: \S+/fold0/seed1: RuntimeError: .*srun", capsys.readouterr().err)
    assert SHARED not in os.environ  # the cluster gives each job its GPU


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["table=smal"], "table=smal: no such table; there are 1, .*small"),
        (["tabel=small"], "expected table=<name>, found tabel=; .* lists the tables"),
        (["fusion=msaf"], "expected table=<name>; .* lists the tables"),
        (["table=small", "seed=[1]"], r"seed=\[1\]: a table has several, write seeds=\[...\]"),
        (["table=small", "seeds=[one]"], r"seeds=\[one\]: expected a list such as seeds=\[1,2,3\]"),
        (["table=small", "dry_run=maybe"], "dry_run=maybe: choose true or false"),
        (["table=small", "fusion=msaf"], "fusion=msaf: the rows of table=small differ in it"),
        (["table=small", "init=magic"], "init=magic: choose unimodal or scratch"),
        (
            ["table=small", "task.shapes.video=[1,1]"],
            "video=.*: no row depends on it; leave it out",
        ),
        (["table=small", "+trainer.strategy=ddp"], "trainer=ddp: the runs of a table or a sweep"),
    ],
)
def test_overrides_that_make_no_sense_are_refused(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    configs_with(tmp_path, small=TABLE)
    with pytest.raises(RunError, match=message):
        fill(tmp_path, *overrides)
    assert not (tmp_path / "results").exists()


def test_a_row_whose_own_override_changes_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = '  - {name: same, overrides: [fusion=concat, "points=[late]"]}\n'
    configs_with(tmp_path, small=TABLE + row)
    assert fill(tmp_path, "table=small", "dry_run=true") == 1
    printed = capsys.readouterr()
    assert re.search(r"row same: points=\[late\]: nothing of this run depends on it", printed.err)
    assert "0 of 20 runs complete" in printed.out  # those of the five other rows


def test_an_override_that_some_rows_have_no_use_for_is_taken(tmp_path: Path) -> None:
    configs_with(tmp_path, small=TABLE)
    assert fill(tmp_path, "table=small", "dry_run=true", "points=[late]") == 0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["epcohs=3"], r"epcohs: no such key, did you mean epochs\?"),
        (["dryrun=true"], r"dryrun: no such key, did you mean dry_run\?"),
        (["seeds=[1"], r"seeds=\[1: "),
    ],
)
def test_misspelt_overrides_end_in_one_message(
    tmp_path: Path, overrides: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configs_with(tmp_path, small=TABLE)
    with pytest.raises(SystemExit) as ended, command(), readable_errors():
        fill(tmp_path, "table=small", *overrides)
    assert ended.value.code == 1
    assert re.fullmatch(rf"error: {message}.*\n", capsys.readouterr().err)


def test_what_a_command_line_wishes() -> None:
    every = ["table=01", "seeds=3", "folds=[cs]", "dry_run=true", "out='a b'", "epochs=2"]
    wish = Wish.of(Overrides([*every, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]))
    assert (wish.table, wish.out, wish.dry_run) == ("01", Path("a b"), True)
    assert wish.changes == {"seeds": (3,), "folds": ("cs",)}
    assert list(wish.launcher) == ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert list(wish.overrides) == ["epochs=2"]
    assert Wish.of(Overrides(["table=1"])).changes == {}


@pytest.mark.parametrize(
    "file", sorted(Path(CONFIGS, "table").glob("*.yaml")), ids=lambda f: f.stem
)
def test_every_table_loads_and_every_row_composes(file: Path) -> None:
    tables = load_tables(Path(CONFIGS), file.stem).parts
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        for table, row in ((part, row) for part in tables for row in part.rows):
            jobs = list(table.jobs(row, Overrides(["data.root=none", "data=full"])))
            assert len(jobs) == len(table.folds) * len(table.seeds) * bool(row.overrides)
            if not jobs:
                continue  # quoted only
            cfg = compose(jobs[-1])
            assert (cfg.fold, cfg.seed) == (table.folds[-1], table.seeds[-1])
            check(cfg)
            assert idle(jobs[-1], [cfg], Overrides(row.overrides).keys) == []
