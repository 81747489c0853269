import csv
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from experiments.evaluation.statistics import Estimate
from experiments.figures.report.page import write_report
from experiments.robustness.write import Robustness, write_robustness
from experiments.runs.folder import RunError
from experiments.tables.fill import Filled, Line
from experiments.tables.table import Row, Table, Tables
from experiments.tables.write import write_tables
from tests.experiments.figures.report.pages import Read, read, written
from tests.experiments.finished import NAMES, experiment, finished_run
from tests.experiments.robustness.test_summary import by_hand, measured

HOSTILE = "<script>alert(1)</script>&\"'{{ 7 * 7 }}"
SVG = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("results")
    for folder in experiment(place / "runs").glob("fold*/seed*"):
        rows = [["epoch", "train/loss", "test/accuracy"], *([e, 3 - e, 10 * e] for e in range(3))]
        with (folder / "log.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    experiment(place / "sampled", skill=1.0, folds=1)
    for file in place.glob("sampled/**/metrics.json"):
        content = json.loads(file.read_text()) | {"provenance": "sample", "data": "sample"}
        file.write_text(json.dumps(content))
    return place


@pytest.fixture(scope="module")
def page(results: Path) -> Read:
    return written(results)


def values(place: Path, rule: str, metric: str) -> np.ndarray:
    """The figures straight from the files, (folds, seeds)."""
    found: dict[tuple[int, int], float] = {}
    for file in place.rglob("metrics.json"):
        m = json.loads(file.read_text())
        found[m["fold"], m["seed"]] = m["reported"][rule]["test"][metric]
    folds, seeds = (sorted(set(part)) for part in zip(*found, strict=True))
    return np.array([[found[fold, seed] for seed in seeds] for fold in folds])


@pytest.mark.parametrize("rule", ["paper_rule", "last_epoch"])
@pytest.mark.parametrize("metric", ["accuracy", "top2"])
def test_means_and_errors_are_those_of_the_files(
    results: Path, page: Read, rule: str, metric: str
) -> None:
    head, *rows = page.table("experiment-1", "test figures")
    (row,) = [r for r in rows if r[0].rstrip("*") == rule]
    by_fold = values(results / "runs", rule, metric).mean(1)
    error = np.sqrt(((by_fold - by_fold.mean()) ** 2).sum() / (3 - 1) / 3)
    assert row[head.index(metric)] == f"{by_fold.mean():.1f} ± {error:.1f}"
    assert by_fold.std() > 1  # else the error would say nothing


def test_the_overview_has_the_same_figures_and_every_run_its_own(results: Path, page: Read) -> None:
    head, row = page.table("run", "ravdess, data full: accuracy on test")
    by_fold = values(results / "runs", "last_epoch", "accuracy").mean(1)
    error = by_fold.std(ddof=1) / np.sqrt(3)
    assert row[head.index("accuracy (last_epoch*)")] == f"{by_fold.mean():.1f} ± {error:.1f}"
    assert row[2:5] == ["0, 1, 2", "1, 2", "6"]
    head, *rows = page.table("experiment-1", "runs")
    for rule in ("paper_rule", "last_epoch"):
        shown = [row[head.index(f"accuracy ({rule})")] for row in rows]
        flat = values(results / "runs", rule, "accuracy").ravel()
        assert shown == [f"{value:.1f}" for value in flat]


def test_classes_and_confusion_are_those_of_the_predictions(results: Path, page: Read) -> None:
    files = sorted((results / "runs").rglob("predictions.npz"))
    loaded = [np.load(file) for file in files]
    labels = np.concatenate([data["labels"] for data in loaded])
    predicted = np.concatenate([data["scores_last_epoch"].argmax(1) for data in loaded])
    _, *rows = page.table("experiment-1", "confusion counts")
    assert [row[0] for row in rows] == NAMES
    counts = [[int(cell) for cell in row[1:]] for row in rows]
    assert counts == sk.confusion_matrix(labels, predicted).tolist()
    _, *rows = page.table("experiment-1", "classes")
    precision, recall, f1, n = sk.precision_recall_fscore_support(labels, predicted)
    for k, row in enumerate(rows):
        assert row[1:] == [str(n[k]), *(f"{100 * x[k]:.1f}" for x in (recall, precision, f1))]
    accuracy = 100 * sk.accuracy_score(labels, predicted)
    alts = [found["alt"] for tag, found in page.tags if tag == "img"]
    assert any(f"6 runs pooled: accuracy {accuracy:.1f} %" in alt for alt in alts)


def test_learning_curves_say_where_they_end(page: Read) -> None:
    alts = [found["alt"] for tag, found in page.tags if tag == "img"]
    assert "learning curves, mean of 6 runs: loss and accuracy over 3 epochs; on test accuracy " \
        "ends at 20.0" in alts  # fmt: skip
    assert "log.csv: no such file" in page.text  # of the runs that have none


def test_every_table_and_picture_of_sample_data_says_so(page: Read) -> None:
    for (place, caption), rows in page.tables.items():
        shown = "data sample" in caption or any("sample" in row for row in rows)
        of_sample = shown or place in ("experiment-2", "provenance")  # where both stand together
        assert caption.endswith(" sample") == of_sample, (place, caption)
    _, *rows = page.table("deviations", "switches")
    assert [row[2] for row in rows] == ["real", "sample"]
    figures = re.findall(r"<figcaption>(.*?)</figcaption>", page.source)
    assert sum("sample</span>" in figure for figure in figures) == 1  # one confusion, no curves
    assert len(figures) == 3


def test_nothing_is_loaded_and_every_link_stays_on_the_page(page: Read) -> None:
    ids = {found["id"] for _, found in page.tags if "id" in found}
    for tag, found in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form", "svg")
        assert not any(name.startswith("on") for name in found)
        for name in ("src", "href", "srcset", "data", "poster", "action", "style"):
            if name in found:
                good = found[name].startswith("data:image/svg+xml;base64,")
                assert good or found[name].removeprefix("#") in ids, found[name]
    assert not re.search(r"url\(|@import|https?://", page.source)
    assert "prefers-color-scheme: dark" in page.source


def test_the_outline_has_no_gap(page: Read) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(found.get("alt") for tag, found in page.tags if tag == "img")


def test_the_same_results_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    first = written(results).source
    assert written(results).source == first


def test_names_from_files_are_text_and_nothing_else(tmp_path: Path) -> None:
    names = [HOSTILE, *NAMES[1:]]
    finished_run(
        tmp_path / "a", fusion=HOSTILE, modalities=[HOSTILE], classes=names, manifest=HOSTILE,
        device=HOSTILE, versions={HOSTILE: HOSTILE}, protocol=HOSTILE, commit=HOSTILE,
    )  # fmt: skip
    bad = tmp_path / HOSTILE.replace("/", "-") / "fold0" / "seed1"
    bad.mkdir(parents=True)
    (bad / "metrics.json").write_text(json.dumps({HOSTILE: 1}))
    picture = tmp_path / "figure<b>.svg"
    picture.write_text(SVG)
    picture.with_suffix(".csv").write_text(f'name\n"{HOSTILE.replace(chr(34), "")}"\n')
    page = written(tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "b", "svg"}
    assert "<script" not in page.source
    assert page.text.count(HOSTILE) >= 8
    assert "49" not in page.table("experiment-1", "classes")[1][0]


def filled(name: str, sample: bool) -> Filled:
    row = Row("MSAF & <i>", ("fusion=msaf",), {"accuracy": 74.86, "parameters": 25.94}, note="yes.")
    table = Table(name, f"A <table> {name}", (row,), (0, 1), (1, 2), ("accuracy",), "MSAF & <i>",
                  ("task=ravdess",))  # fmt: skip
    figures = {"last_epoch": {"accuracy": Estimate(61.23, 1.5, 2, "folds", 4)}}
    line = Line(row, 4, 4, figures, {}, 25_940_000, 25_950_000)
    stands: dict[str, Any] = {
        "overrides": ["data=full"], "data": ["sample" if sample else "real"], "manifests": ["m"],
        "starts": [], "protocols": ["paper"], "hashes": ["h"], "sources": ["s"],
    }  # fmt: skip
    return Filled(table, ("last_epoch",), (line,), stands, {"last_epoch": {"split": None}})


@pytest.mark.parametrize("sample", [True, False])
def test_tables_are_those_of_the_json_files(tmp_path: Path, sample: bool) -> None:
    one = filled("1", sample)
    write_tables(Tables("1", "A table", (one.table,)), [one], tmp_path)
    both = [filled("a", sample), filled("b", not sample)]
    write_tables(Tables("2", "Two", tuple(p.table for p in both)), both, tmp_path / "more")
    page = written(tmp_path)
    head, row = page.table("table-3", "A <table> 1 (table1.json)")
    assert row[head.index("accuracy (last_epoch)")] == "61.2 ± 1.5"
    assert ("paper accuracy" in head) == (not sample)  # another input has no figure of the paper
    assert row[-3:] == ["25.95M", "25.94M", "4 of 4"]
    marks = [c.endswith(" sample") for id, c in page.tables if id.startswith("table-")]
    assert marks == [sample, not sample, sample]
    assert "MSAF & <i>: yes." in page.text
    assert "python train.py -m task=ravdess fusion=msaf data=full data.root=PACKED_FOLDER " \
        "fold=0,1 seed=1,2" in page.text  # fmt: skip
    assert "python scripts/reproduce.py table=1 data=full" in page.text


def test_a_table_of_another_version_is_named(tmp_path: Path) -> None:
    one = filled("1", sample=False)
    write_tables(Tables("1", "A table", (one.table,)), [one], tmp_path)
    content = json.loads((tmp_path / "table1.json").read_text())
    for name, change in (
        ("2", {"provenance": {}}),
        ("3", {"lines": 3}),
        ("4", {"table": content["table"] | {"title": None}}),
        ("5", {"provenance": content["provenance"] | {"overrides": ["a b=,"]}}),
    ):
        (tmp_path / f"table{name}.json").write_text(json.dumps(content | change))
    (tmp_path / "table6.json").write_text("{")
    page = written(tmp_path)
    _, *rows = page.table("left-out", "left out")
    assert [Path(row[0]).name for row in rows] == [f"table{k}.json" for k in range(2, 7)]
    assert all("expected what scripts/reproduce.py writes" in row[1] for row in rows)
    assert [id for id, _ in page.tables if id.startswith("table-")] == ["table-1"]


def test_figures_and_robustness_with_their_numbers(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for stem, rows in (
        ("figures/figure6", ["sample,3"]),
        ("robustness/robustness_audio", ["real,4"] * 300),
    ):
        file = tmp_path / f"{stem}.svg"
        file.parent.mkdir()
        file.write_text(SVG)
        file.with_suffix(".csv").write_text("\n".join(["provenance,x", *rows]))
    (tmp_path / "figures" / "broken.svg").write_text("nothing")
    random = np.random.default_rng(0)
    accuracies, shares = 100 * random.uniform(size=(3, 2, 2)), random.uniform(size=(3, 2, 2))
    runs = [
        measured(tmp_path_factory.mktemp("runs"), name, accuracies, shares)
        for name in ("msaf", "sum")
    ]
    write_robustness(
        Robustness("ravdess", "last_epoch", runs, "sum", ["a run"]), tmp_path / "robustness"
    )
    page = written(tmp_path)
    assert page.table("figures", "figure6.csv sample")[1] == ["sample", "3"]
    assert len(page.table("robustness", "robustness_audio.csv, the first 200 of 300 rows")) == 201
    clean, noisy = (by_hand(accuracies[..., k]) for k in (0, 1))
    corrupted = "audio missing or corrupted"
    rows = page.tables["robustness-1", f"{corrupted}: accuracy"]
    assert rows[0] == ["", "runs", "clean", "noise 10"]
    assert rows[1] == ["msaf", "6"] + [f"{m:.1f} ± {e:.1f}" for m, e in (clean, noisy)]
    against = f"{corrupted}: accuracy, against sum, paired over the same folds and seeds"
    assert page.table("robustness-1", against)[1] == ["msaf", "6", "+0.0 ± 0.0", "+0.0 ± 0.0"]
    answers = page.table("robustness-1", f"{corrupted}: attention on audio: its share of all")
    mean, error = by_hand(shares[..., 1])
    assert answers[0] == ["", "uniform", "runs", "clean", "noise 10"]
    assert answers[1][:3] == ["msaf, late", "0.250", "6"]
    assert answers[1][4] == f"{mean:.3f} ± {error:.3f}"
    assert "Left out: a run" in page.text
    assert Path(page.table("left-out", "left out")[1][0]).name == "broken.svg"


def test_an_empty_folder_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^in=.*: expected runs, tables or figures, found none"):
        write_report([f"in={tmp_path}"])
    assert not list(tmp_path.iterdir())
    for arguments, said in (
        ([f"in={tmp_path / 'gone'}"], r"^in=.*gone: no such folder"),
        (["inn=x"], r"^inn: no such key, did you mean in\? there are in, out$"),
        (["in.x=x"], r"^in\.x: no such key"),
        ([f"out={tmp_path}"], "^out=.*: expected a file such as"),
    ):
        with pytest.raises(RunError, match=said):
            write_report(arguments)


def test_the_command_writes_the_page_and_needs_no_torch(results: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    code = (
        "import runpy, sys; sys.argv[0] = 'report.py'\n"
        f"try: runpy.run_path({str(root / 'scripts' / 'report.py')!r}, run_name='__main__')\n"
        "finally: print({'torch', 'torchmetrics', 'pytorch_lightning'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"in={results}", f"out={tmp_path / 'page.html'}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "8 runs shown, 0 files or folders left out" in done.stdout
    assert "set()" in done.stdout
    assert read(tmp_path / "page.html").source == written(results).source
