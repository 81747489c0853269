"""Runs whose folders are gone: a table's json has their figures, and another table takes them."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from experiments.console import console
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.tables import launch as module
from experiments.tables.recorded import read_record
from tests.experiments.small_table import TABLE, configs_with, fill

SCRATCH = ("folds=[0]", "seeds=[1]", "epochs=1", "init=scratch")
FEW = TABLE.replace("reference: MSAF", "reference: sum").replace(
    TABLE[TABLE.index("  - {name: average") :], ""
)
MORE = FEW + "  - {name: MSAF, overrides: [fusion=msaf]}\n"
Launched = list[list[str]]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The json of a table without MSAF, whose run folders are gone."""
    place = tmp_path_factory.mktemp("record")
    configs_with(place, small=FEW)
    assert fill(place, "table=small", *SCRATCH) == 0
    shutil.rmtree(place / "results" / "ravdess")
    return place / "results" / "tablesmall.json"


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    """The overrides of each run that is made."""
    found: Launched = []
    original: Callable[..., Any] = module.launch

    def launch(jobs: Any, launcher: Overrides) -> list[str]:
        found.extend(list(job) for job in jobs)
        return original(jobs, launcher)

    monkeypatch.setattr(module, "launch", launch)
    return found


def lines(file: Path) -> dict[str, Any]:
    return {line["row"]["name"]: line for line in json.loads(file.read_text())["lines"]}


def unmarked(line: dict[str, Any]) -> dict[str, Any]:
    """A line without the mark that its runs were recorded."""
    return line | {"measured": [one | {"recorded": ""} for one in line["measured"]]}


def test_only_the_new_row_is_run_and_compared_with_the_recorded_ones(
    record: Path, tmp_path: Path, launched: Launched
) -> None:
    configs_with(tmp_path, small=MORE)
    assert fill(tmp_path, "table=small", *SCRATCH, f"recorded={record}") == 0
    assert [o for job in launched for o in job if "fusion" in o] == ["fusion=msaf"]
    file = tmp_path / "results" / "tablesmall.json"
    before, after = lines(record), lines(file)
    for name, line in before.items():
        assert unmarked(after[name]) == line
    for rule in ("paper_rule", "last_epoch"):
        (own,), (other,) = after["MSAF"]["measured"], before["sum"]["measured"]
        expected = own["figures"][rule]["accuracy"] - other["figures"][rule]["accuracy"]
        assert after["MSAF"]["differences"][rule]["mean"] == pytest.approx(expected, rel=1e-12)
    text = file.with_suffix(".md").read_text()
    mark = f"tablesmall.json (sha256 {sha256(record.read_bytes()).hexdigest()[:12]})"
    assert f"; 3 of 4 runs as recorded in {mark}." in text
    assert "`paper_rule` takes the best epoch on the test data" in text
    assert "recorded in" not in record.with_suffix(".md").read_text()
    # A table that takes from this one still says where the figures were recorded first.
    found = read_record(file).values()
    assert [figures["recorded"] == mark for figures, _ in found] == [True] * 3 + [False]


def test_a_record_alone_gives_the_same_table_and_a_part_of_a_record_is_gone_on_with(
    record: Path, tmp_path: Path, launched: Launched
) -> None:
    configs_with(tmp_path, small=FEW)
    assert fill(tmp_path, "table=small", *SCRATCH, f"recorded=[{record}]") == 0
    again = tmp_path / "results" / "tablesmall.json"
    assert not launched
    assert {n: unmarked(line) for n, line in lines(again).items()} == lines(record)
    assert not list(tmp_path.rglob("metrics.json"))  # no folder pretends to be a run

    part = json.loads(record.read_text())
    part["lines"][2]["measured"] = []
    (tmp_path / "part.json").write_text(json.dumps(part))
    assert fill(tmp_path, "table=small", *SCRATCH, f"recorded={tmp_path}/part.json") == 0
    assert [o for job in launched for o in job if "fusion" in o] == ["fusion=sum"]
    assert {n: unmarked(line) for n, line in lines(again).items()} == lines(record)


def test_weights_that_others_start_from_are_made_for_a_record_has_none(
    record: Path, tmp_path: Path, launched: Launched
) -> None:
    """`average` starts from both single networks, whose own rows keep the recorded figures."""
    content = json.loads(record.read_text())
    content["lines"][0]["measured"][0]["figures"]["last_epoch"]["accuracy"] = 123.0
    (tmp_path / "changed.json").write_text(json.dumps(content))
    average = "  - {name: average, overrides: [fusion=average]}\n"
    configs_with(
        tmp_path, small=FEW + average, late=FEW[: FEW.index("rows:")] + "rows:\n" + average
    )
    table = tmp_path / "configs" / "table" / "late.yaml"
    table.write_text(table.read_text().replace("reference: sum", "reference: average"))
    overrides = (*SCRATCH, f"recorded={tmp_path}/changed.json")
    assert states(tmp_path, "table=small", *overrides) == {
        "none": "missing", "sum": "recorded", "average": "missing",
    }  # fmt: skip
    assert fill(tmp_path, "table=small", *overrides) == 0
    assert sorted(o for job in launched for o in job if "fusion" in o) == [
        "fusion=average", "fusion=none", "fusion=none",
    ]  # fmt: skip
    written = tmp_path / "results" / "tablesmall.json"
    assert lines(written)["audio"]["figures"]["last_epoch"]["accuracy"]["mean"] == 123.0

    # Nothing starts from anything where every row is recorded.
    shutil.rmtree(tmp_path / "results" / "ravdess")
    assert states(tmp_path, "table=late", *SCRATCH[:3]) == {"none": "missing", "average": "missing"}
    found = states(tmp_path, "table=late", *SCRATCH[:3], f"recorded={written}")
    assert found == {"average": "recorded"}


def states(place: Path, *overrides: str) -> dict[str, str]:
    """By fusion what `dry_run` says of its runs, which all have the same state."""
    with console.capture() as capture:
        assert fill(place, *overrides, "dry_run=true") == 0
    listed = [line.split() for line in capture.get().splitlines() if "/fold0/" in line]
    found = {path.split("/")[-4]: state for state, path in listed}
    assert all(found[path.split("/")[-4]] == state for state, path in listed)
    return found


def test_a_record_without_any_of_the_runs_is_refused(
    record: Path, tmp_path: Path, launched: Launched
) -> None:
    configs_with(tmp_path, small=FEW)
    message = "tablesmall.json: expected runs of this table, found none of them among its 3 runs"
    with pytest.raises(RunError, match=message):
        fill(
            tmp_path, "table=small", *SCRATCH[:2], "epochs=2", "init=scratch", f"recorded={record}"
        )
    assert not launched


def test_rerun_makes_recorded_runs_of_other_sources_again(record: Path, tmp_path: Path) -> None:
    configs_with(tmp_path, small=FEW)
    content = json.loads(record.read_text())
    content["lines"][0]["measured"][0]["sources"] = "f" * 64
    file = tmp_path / "old.json"
    file.write_text(json.dumps(content))
    with console.capture() as capture:
        overrides = (*SCRATCH, f"recorded={file}", "rerun=true", "dry_run=true")
        assert fill(tmp_path, "table=small", *overrides) == 0
    said = capture.get().splitlines()
    assert [line.split()[0] for line in said[1:]] == ["missing", "recorded", "recorded", "2"]
    assert said[0] == "2 of 3 runs as recorded"
    with console.capture() as capture:
        assert fill(tmp_path, "table=small", *overrides[:-2], "dry_run=true") == 0
    assert capture.get().startswith("3 of 3 runs as recorded; 1 of them made by other sources: re")


def test_what_is_no_record_is_refused_before_anything_is_run(
    record: Path, tmp_path: Path, launched: Launched
) -> None:
    configs_with(tmp_path, small=FEW)
    mixed = json.loads(record.read_text())
    mixed["provenance"]["manifests"] = ["a" * 64, "b" * 64]
    (tmp_path / "mixed.json").write_text(json.dumps(mixed))
    (tmp_path / "table.md").write_text("# A table")
    number = json.loads(record.read_text())
    number["lines"][0]["measured"][0]["hash"] = 5
    (tmp_path / "number.json").write_text(json.dumps(number))
    lacking = json.loads(record.read_text())
    del lacking["lines"][0]["measured"][0]["figures"]["last_epoch"]
    (tmp_path / "lacking.json").write_text(json.dumps(lacking))
    (tmp_path / "words.json").write_text(json.dumps({"table": {"words": []}}))
    for name, message in (
        ("mixed.json", "mixed.json: expected runs of the same manifests, found aaa"),
        ("number.json", "number.json: expected what scripts/reproduce.py writes, found .*hash"),
        ("lacking.json", "lacking.json: .*a run without accuracy under last_epoch"),
        ("words.json", "words.json: expected a table of this version, found one whose runs"),
        ("gone.json", "gone.json: expected .*, found no such file"),
        ("table.md", "table.md: expected what scripts/reproduce.py writes"),
    ):
        with pytest.raises(RunError, match=message):
            fill(tmp_path, "table=small", *SCRATCH, f"recorded={tmp_path / name}")
    with pytest.raises(RunError, match=r"recorded=7: expected a list such as recorded=\[results/t"):
        fill(tmp_path, "table=small", *SCRATCH, "recorded=7")
    assert not launched and not (tmp_path / "results").exists()
