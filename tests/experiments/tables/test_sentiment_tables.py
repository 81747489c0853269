"""Tables of a regression, and a table put together from several tasks' tables."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from scipy import stats

from experiments.console import console
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.tables.reproduce import reproduce
from experiments.tables.table import load_tables
from tests.experiments.conftest import CONFIGS
from tests.experiments.sentiment import SENTIMENT_OVERRIDES
from tests.experiments.small_table import configs_with

SENTIMENT = """
title: "A table of sentiment"
folds: [0]
seeds: [1, 2]
metrics: [acc2, mae, corr]
reference: MSAF
overrides: [task=mosei]
rows:
  - name: Text
    overrides: [fusion=none, "modalities=[text]"]
    paper: {acc2: 83.5, mae: 0.572, corr: 0.7}
  - {name: MSAF, overrides: [fusion=msaf], paper: {acc2: 85.5, mae: 0.559}, note: ours.}
"""
ABLATION = """
title: "Its ablation"
folds: [0]
seeds: [1]
metrics: [acc7]
reference: "C 16"
overrides: [task=mosei, fusion=msaf]
rows:
  - name: "C 16"
    overrides: [fusion.mid.block_channels=16, fusion.mid.segments=1]
    paper: {acc7: 51.7}
  - name: "C 32"
    overrides: [fusion.mid.block_channels=32, fusion.mid.segments=1]
    paper: {acc7: 51.1}
"""
OTHER_TASK = """
title: "Another task's"
folds: [0]
seeds: [1]
metrics: [accuracy]
reference: sum
overrides: [task=ravdess]
rows:
  - {name: sum, overrides: [fusion=sum]}
"""
BOTH = 'title: "Both"\nparts: [ablation, sentiment]\n'
MIXED = 'title: "Two tasks"\nparts: [other, ablation]\n'
RULES = ("val_selected", "paper_rule", "last_epoch")


def fill(place: Path, table: str, *overrides: str) -> int:
    GlobalHydra.instance().clear()
    rest = [*Overrides(SENTIMENT_OVERRIDES).setting(epochs=2)][1:]  # the table says which task
    every = [f"table={table}", *rest, f"results={place}/results", *overrides]
    return reproduce(place / "configs", Overrides(every))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tables")
    configs_with(place, sentiment=SENTIMENT, ablation=ABLATION, other=OTHER_TASK)
    configs_with_more(place)
    assert fill(place, "both") == 0
    assert fill(place, "sentiment") == 0
    return place


def configs_with_more(place: Path) -> None:
    for name, text in {"both": BOTH, "mixed": MIXED}.items():
        (place / "configs" / "table" / f"{name}.yaml").write_text(text)


def figures(place: Path, fusion: str, rule: str, metric: str) -> np.ndarray:
    """Read the figures of a row's runs from their files, by seed."""
    files = sorted(place.glob(f"results/mosei/full/{fusion}/*/fold0/*/metrics.json"))
    every = [json.loads(file.read_text()) for file in files]
    found = [run for run in every if run["parameters"]["fusion"] in (0, 10_840)]  # the default one
    assert [run["seed"] for run in found] == [1, 2]
    return np.array([run["reported"][rule]["test"][metric] for run in found])


def test_every_metric_has_its_own_digits(place: Path) -> None:
    with (place / "results" / "tablesentiment.csv").open() as file:
        rows = {row["row"]: row for row in csv.DictReader(file)}
    for name, fusion in (("Text", "none"), ("MSAF", "msaf")):
        for rule in RULES:
            shown = rule + "†" * (rule == "paper_rule")
            for metric, digits in (("acc2", 1), ("mae", 3), ("corr", 3)):
                values = figures(place, fusion, rule, metric)
                expected = f"{values.mean():.{digits}f} ± {stats.sem(values):.{digits}f}"
                assert rows[name][f"{metric} ({shown})"] == expected
    assert not any(name.startswith("paper ") for name in rows["Text"].keys() - {"paper #Params"})
    paired = figures(place, "none", "val_selected", "acc2")
    paired = paired - figures(place, "msaf", "val_selected", "acc2")
    expected = f"{paired.mean():+.1f} ± {stats.sem(paired):.1f}"
    assert rows["Text"]["against MSAF (val_selected)"] == expected
    assert rows["MSAF"]["ours, paper's size"] == "0.69M"


def test_markdown_has_a_grid_for_each_rule_and_says_how_each_chooses(place: Path) -> None:
    text = (place / "results" / "tablesentiment.md").read_text()
    names = re.findall(r"^`(\w+)`(†?)( \(the headline\))?:$", text, re.MULTILINE)
    assert names == [
        ("val_selected", "", " (the headline)"), ("paper_rule", "†", ""), ("last_epoch", "", "")
    ]  # fmt: skip
    grids = [line for line in text.splitlines() if line.startswith("| row")]
    assert len(grids) == 3
    assert grids[0].startswith("| row | acc2 | mae | corr |")
    for said in (
        "`val_selected` takes the epoch with the best mae on the validation data",
        "† `paper_rule` takes each metric from its own best epoch on the validation data",
        "`last_epoch` selects nothing",
        "Lower is better: mae.",
        "Differences to MSAF are of acc2, paired",
        "over: 2 seeds",
    ):
        assert said in text, said
    assert "test data, as the paper does" not in text


def test_a_table_of_parts_is_one_file_of_each_kind(place: Path) -> None:
    results = place / "results"
    text = (results / "tableboth.md").read_text()
    assert re.findall(r"^#+ .*$", text, re.MULTILINE) == [
        "# Both", "## Its ablation (sample data)", "## A table of sentiment (sample data)"
    ]  # fmt: skip
    alone = (results / "tablesentiment.md").read_text()
    assert text.endswith(f"#{alone}")
    with (results / "tableboth.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["table"], row["row"]) for row in rows] == [
        ("Its ablation", "C 16"), ("Its ablation", "C 32"),
        ("A table of sentiment", "Text"), ("A table of sentiment", "MSAF"),
    ]  # fmt: skip
    assert rows[0]["acc7 (last_epoch)"] and not rows[0]["mae (last_epoch)"]
    assert rows[2]["mae (last_epoch)"] and not rows[2]["acc7 (last_epoch)"]
    content = json.loads((results / "tableboth.json").read_text())
    assert [part["table"]["name"] for part in content["parts"]] == ["ablation", "sentiment"]
    assert (results / "tableboth.tex").read_text().count(r"\begin{table*}") == 2


def test_parts_share_their_runs_with_other_tables(place: Path) -> None:
    with console.capture() as capture:
        assert fill(place, "both") == 0
    assert "runs complete" not in capture.get()  # nothing was run again


def test_a_part_that_cannot_run_stops_no_other(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One word for the data of one task alone: the other task's part is refused, with a reason."""
    shutil.copytree(place, tmp_path / "here")
    assert fill(tmp_path / "here", "mixed") == 1
    err = capsys.readouterr().err
    assert "row sum: task.branches.text: no such key" in err
    text = (tmp_path / "here" / "results" / "tablemixed.md").read_text()
    assert "## Another task's" in text and "0 of 1" in text and "1 of 1" in text


@pytest.mark.parametrize("word", ["task=ravdess", "fusion=sum"])
def test_a_word_in_which_the_parts_differ_is_refused(place: Path, word: str) -> None:
    with pytest.raises(RunError, match=f"{word}: the rows of table=.* differ in it"):
        fill(place, "both", word)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: a\nparts: [nothing]", "table=nothing: no such table"),
        ("title: a\nparts: nothing", "expected a title and a list of parts"),
        ("title: a\nparts: []", "expected a title and a list of parts"),
        ("parts: [audio]", "expected a title and a list of parts"),
        ("title: a\nparts: [audio]\nrows: []", "expected a title and a list of parts"),
    ],
)
def test_parts_that_make_no_table(tmp_path: Path, text: str, message: str) -> None:
    configs_with(tmp_path, it=text)
    with pytest.raises(RunError, match=message):
        load_tables(tmp_path / "configs", "it")


def test_the_papers_tables_hold_the_papers_figures() -> None:
    (two,) = load_tables(Path(CONFIGS), "2").parts
    assert len([row for row in two.rows if not row.ours]) == 10
    assert {row.name: row.paper["acc7"] for row in two.rows if row.paper} == {
        "LSTM (Visual)": 41.3, "LSTM (Audio)": 41.2, "LSTM (Text)": 51.0,
        "DCCA (under-specified)": 50.1, "TFN": 50.2, "LMF": 48.0, "MFM": 51.4,
        "ICCN (under-specified)": 51.6, "MISA": 52.2, "MSAF": 52.4,
    }  # fmt: skip
    assert len(two.seeds) == 5 and two.metrics == ("acc2", "f1", "mae", "acc7", "corr")
    parts = {part.name: part for part in load_tables(Path(CONFIGS), "4").parts}
    assert [row.paper["acc7"] for row in parts["4_mosei"].rows] == [
        51.6, 51.7, 51.1, 52.3, 52.4, 52.2
    ]  # fmt: skip
