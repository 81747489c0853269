"""The ledger: every cell of the paper is there, and what we have says what it is."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments.runs.folder import RunError
from experiments.tables.ledger import ledger
from scripts.ledger import main

ROOT = Path(__file__).parents[3]
CONFIGS, DOCS = ROOT / "configs", ROOT / "docs"
# The paper's figures in the order of its tables 1 to 5, typed from the paper.
PAPER = """
62.99 56.53 68.82 70.35 70.56 71.04 71.32 73.12 74.86
65.9 64.7 0.829 41.3 0.248 65.7 62.7 0.821 41.2 0.263 83.5 83.5 0.572 51.0 0.727
83.6 83.8 0.579 50.1 0.707 82.6 82.1 0.593 50.2 0.700 82.0 82.2 0.623 48.0 0.677
84.4 84.4 0.568 51.4 0.717 84.2 84.2 0.565 51.6 0.713 85.5 85.3 0.555 52.2 0.756
85.5 85.5 0.559 52.4 0.738
83.91 85.63 85.24 89.10 89.36 90.04 90.11 91.71 91.99 90.63 92.24
71.01 72.99 73.40 72.29 74.86 74.37 51.6 51.7 51.1 52.3 52.4 52.2
91.04 91.56 91.05 92.00 92.24 92.12 91.93 92.08 92.11 91.81 91.88 92.24 91.88
"""


def test_the_committed_page_is_what_the_command_writes() -> None:
    page = (DOCS / "reproduction.md").read_text()
    assert page == ledger(CONFIGS, DOCS / "results"), "run python scripts/ledger.py"


def test_every_figure_of_the_papers_tables_stands_in_its_column() -> None:
    found: list[str] = []
    for line in ledger(CONFIGS, DOCS / "results").partition("## Figures")[0].splitlines():
        cells = line.split(" | ")
        if line.startswith("| ") and not line.startswith(("| row", "| ---")):
            found += [figure.split()[1] for figure in cells[1].split(", ")]
    assert found == PAPER.split()


def test_links_lead_somewhere_and_nothing_but_a_run_goes_without_a_warning() -> None:
    page = ledger(CONFIGS, DOCS / "results")
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links and all((DOCS / link).is_file() for link in links)
    for state in re.findall(r"`\w+` \(([^)]*)\): ", page):
        assert state == "run" or state in (
            "other input, not comparable",
            "sample, not comparable",
        )


def table(name: str, row: str, overrides: list[str], **other: Any) -> dict[str, Any]:
    """A filled table with one row, whose two runs have 70 and 74."""
    mean = {"mean": 72.0, "error": 2.0, "units": 2, "unit": "folds", "runs": 2}
    return {
        "table": {"name": name, "overrides": ["task=ravdess"], "context": ""},
        "rules": ["paper_rule", "last_epoch"],
        "reporting": {"last_epoch": {"split": None}},
        "lines": [
            {
                "row": {"name": row, "overrides": overrides},
                "figures": {
                    "paper_rule": {"accuracy": mean | {"mean": 75.0, "error": None}},
                    "last_epoch": {"accuracy": mean},
                },
                "runs": 2, "wanted": 2, "paper_parameters": 25_940_000,
            }
        ],
        "provenance": {
            "data": ["real"], "overrides": ["data=full"], "commits": ["0123456789"], "manifests": []
        },
    } | other  # fmt: skip


def line_of(results: Path, name: str) -> list[str]:
    page = ledger(CONFIGS, results)
    (line,) = (x for x in page.splitlines() if x.startswith(f"| {name} |"))
    return line.strip("| ").split(" | ")


def write(results: Path, content: Any, name: str = "table1") -> None:
    results.mkdir(exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("provenance", "overrides", "state"),
    [
        ({}, ["fusion=concat"], "run"),
        ({}, ["fusion=concat", "epochs=2"], "other input"),
        ({"overrides": ["data=full", "epochs=2"]}, ["fusion=concat"], "other input"),
        ({"data": ["sample"], "overrides": []}, ["fusion=concat"], "sample"),
        ({"data": ["real", "sample"]}, ["fusion=concat"], "sample"),
    ],
)
def test_a_cell_is_run_by_its_own_overrides_on_real_data_alone(
    tmp_path: Path, provenance: dict[str, Any], overrides: list[str], state: str
) -> None:
    content = table("1", "Concat + FC", overrides)
    content["provenance"] |= provenance
    write(tmp_path / "results", content)
    _, paper, found, ours, sizes = line_of(tmp_path / "results", "Concat + FC")
    assert (paper, found) == ("accuracy 71.04", f"**{state}**")
    mark = "" if state == "run" else ", not comparable"
    assert ours == f"`1` ({state}{mark}): `last_epoch` 72.0 ± 2.0; `paper_rule` 75.0"
    same = overrides == ["fusion=concat"]
    assert sizes == ("26.87M, 25.94M" if same and "epochs" not in str(provenance) else "26.87M, -")
    assert "made by commit 0123456" in ledger(CONFIGS, tmp_path / "results")


def test_the_best_state_comes_first_and_lacking_runs_are_told(tmp_path: Path) -> None:
    results = tmp_path / "results"
    sample = table("1", "1D CNN (Aud.)", ["fusion=none", "modalities=[audio]"])
    sample["provenance"] |= {"data": ["sample"], "overrides": []}
    write(results, sample)
    write(results, table("audio", "1D CNN (Aud.)", ["fusion=none", "modalities=[audio]"]), "tablea")
    content = table("1_action_units", "1D CNN (Aud.)", ["fusion=none", "batch_size=16"])
    content["lines"][0]["wanted"] = 18
    write(results, {"title": "two", "parts": [content]}, "tableb")
    _, _, state, ours, _ = line_of(results, "1D CNN (Aud.)")
    assert state == "**run**"
    assert re.findall(r"`(\w+)` \(", ours) == ["audio", "1_action_units", "1"]
    assert "(2 of 18 runs)" in ours.split("<br>")[1]


def test_without_any_result_all_is_quoted_or_not_run(tmp_path: Path) -> None:
    page = ledger(CONFIGS, tmp_path)
    states = re.findall(r"\*\*(quoted|not run|run|sample|other input)\*\* \|", page)
    assert sorted(set(states)) == ["not run", "quoted"]
    assert (states.count("quoted"), len(states)) == (2, 9 + 10 + 11 + 18 + 7 + 2 + 3)


@pytest.mark.parametrize(
    ("provenance", "modality", "state"),
    [
        ("real", "video", "**run**: "),
        ("real", "action_units", "**other input**, not comparable: "),
        ("sample", "video", "**sample**, not comparable: "),
    ],
)
def test_figures_are_drawn_where_their_numbers_lie(
    tmp_path: Path, provenance: str, modality: str, state: str
) -> None:
    folder = tmp_path / "results" / "figures"
    folder.mkdir(parents=True)
    rows = [f"0.5,{name},ravdess,{provenance}" for name in (modality, "audio")]
    (folder / "figure6.csv").write_text("\n".join(["mean,modality,task,provenance", *rows]))
    told = line_of(tmp_path / "results", "6")[2]
    assert told == f"{state}[results/figures/figure6.csv](results/figures/figure6.csv)"
    assert line_of(tmp_path / "results", "7")[2] == "**not run**"
    (folder / "figure7.csv").write_text("")
    with pytest.raises(RunError, match=r"figure7\.csv: expected the numbers of a figure"):
        ledger(CONFIGS, tmp_path / "results")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"parts": [{"table": {}}]}'])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tablex.json").write_text(text)
    with pytest.raises(RunError, match=r"tablex\.json: expected a table as scripts/reproduce"):
        ledger(CONFIGS, tmp_path)


def test_a_changed_figure_of_ours_changes_the_page(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(DOCS / "results", results)
    before = ledger(CONFIGS, results)
    assert before == (DOCS / "reproduction.md").read_text()
    file = results / "tableaudio.json"
    content = json.loads(file.read_text())
    content["lines"][0]["figures"]["last_epoch"]["accuracy"]["mean"] += 1
    file.write_text(json.dumps(content))
    assert ledger(CONFIGS, results) != before


def test_the_command_writes_where_it_is_told_to_and_refuses_other_keys(tmp_path: Path) -> None:
    assert main([f"out={tmp_path / 'page.md'}"]) == 0
    assert (tmp_path / "page.md").read_text() == (DOCS / "reproduction.md").read_text()
    with pytest.raises(RunError, match="table: no such key; there are out"):
        main(["table=1"])


def test_tables_beyond_the_paper_stand_in_a_section_of_their_own(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    assert line_of(results, "utd_mhad")[2] == "**not run**"
    write(results, table("utd_mhad", "MSAF", ["fusion=msaf"]), "tableutd_mhad")
    page = ledger(CONFIGS, results)
    assert page.index("| utd_mhad |") > page.index("## Beyond the paper") > page.index("## Figures")
    assert line_of(results, "utd_mhad")[2] == "[real data](results/tableutd_mhad.md)"
    assert line_of(results, "utd_mhad_cs")[2] == "**not run**"
