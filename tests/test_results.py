"""The tables of docs/results: every row is found again by its hash, every figure from its runs.

A table that was written before its overrides were called so ("words") is told from the others by
that, and says which commit it is of; nothing of it can be composed any more.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from datamodules.packed.datamodule import PackedDataModule
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.recorded import read_record

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
OLD = {  # tables in the old form, with the commit whose configuration and hashes they have
    "table4_action_units": "9091e1f",
    "sample/table1": "58a6185",
    "sample/table3": "e2c1369",
    "sample/table4_ntu": "e2c1369",
    "sample/table4_ravdess": "9fa334f",
    "sample/table5": "e2c1369",
}
# A complete run on real data, as its table records it.
KNOWN: dict[str, Any] = {
    "table": {"overrides": [
        "task=ravdess", "modalities=[audio,action_units]", "init=scratch", "batch_size=16",
        "epochs=40",
    ]},
    "provenance": {
        "overrides": ["data=full"],
        "manifests": ["366b299ed373bb665e4f899a2beaa0ecc38bb99b65f9ba644d468d65597267bf"],
    },
    "line": {
        "row": {"overrides": ["fusion=none", "modalities=[action_units]"]},
        "measured": [{"fold": 2, "seed": 1, "hash": "b34aa27c"}],
    },
}  # fmt: skip


def parts(file: Path) -> list[dict[str, Any]]:
    content = json.loads(file.read_text())
    found: list[dict[str, Any]] = content.get("parts", [content])
    return found


FILES = {
    file.relative_to(RESULTS).with_suffix("").as_posix(): file
    for file in sorted(RESULTS.rglob("table*.json"))
}
NEW = {
    name: file
    for name, file in FILES.items()
    if all("overrides" in p["table"] for p in parts(file))
}
ROWS = [
    pytest.param(part, line, id=f"{name}, {line['row']['name']}")
    for name, file in NEW.items()
    for part in parts(file)
    for line in part["lines"]
    if line["row"]["overrides"]
]

# The runs so far of tables that are being made again, for `recorded=`.
RECORDED = [
    pytest.param(part, line, id=f"{file.stem}, {line['row']['name']}")
    for file in sorted((RESULTS / "records").glob("*.json"))
    for part in parts(file)
    for line in part["lines"]
    if line["runs"]  # not begun yet: a record is a table in the making
]


@pytest.fixture
def _configuration() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        yield


def composed(part: dict[str, Any], line: dict[str, Any], patch: pytest.MonkeyPatch) -> Run:
    """Compose a recorded row; a real packed set is known by its manifest, which is recorded too."""
    own = part["provenance"]["overrides"]
    place = ["data.root=none"] if "data=full" in own else []
    every = Overrides([*part["table"]["overrides"], *line["row"]["overrides"], *own, *place])
    one = line["measured"][0]
    if place:
        (manifest,) = part["provenance"]["manifests"]
        patch.setattr(PackedDataModule, "manifest_hash", manifest)
    return Run(every.setting(fold=one["fold"], seed=one["seed"]), Console(quiet=True))


@pytest.mark.parametrize(("part", "line"), [*ROWS, *RECORDED])
@pytest.mark.usefixtures("_configuration")
def test_a_row_is_found_by_its_hash(
    part: dict[str, Any], line: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert line["measured"], "a row without runs is no result: reproduce the table again"
    assert {one["hash"] for one in line["measured"]} == {composed(part, line, monkeypatch).hash}


@pytest.mark.usefixtures("_configuration")
def test_a_known_run_on_real_data_is_found_and_another_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = KNOWN["line"]
    assert composed(KNOWN, line, monkeypatch).hash == "b34aa27c"
    for key, value in (("overrides", ["data=full", "batch_size=8"]), ("manifests", ["0" * 64])):
        other = KNOWN | {"provenance": KNOWN["provenance"] | {key: value}}
        assert composed(other, line, monkeypatch).hash != "b34aa27c"


@pytest.mark.parametrize("name", NEW)
def test_every_run_of_a_table_can_be_taken_from_it(name: str) -> None:
    runs = [one for p in parts(NEW[name]) for line in p["lines"] for one in line["measured"]]
    places = {(one["hash"], f"fold{one['fold']}", f"seed{one['seed']}") for one in runs}
    assert read_record(NEW[name]).keys() == places


@pytest.mark.parametrize("name", FILES)
def test_a_table_has_hashes_that_last_or_names_its_commit(name: str) -> None:
    page = FILES[name].with_suffix(".md").read_text()
    if name in NEW:
        assert "Committed with" not in page
        for part in parts(FILES[name]):
            assert all("measured" in line for line in part["lines"])
            assert {"overrides", "manifests", "sources"} <= part["provenance"].keys()
    else:
        assert all("words" in part["table"] for part in parts(FILES[name]))
        assert f'Committed with {OLD[name]}: overrides (there "words")' in page


@pytest.mark.parametrize(("part", "line"), ROWS)
def test_figures_follow_from_the_runs(part: dict[str, Any], line: dict[str, Any]) -> None:
    """Means and errors over the folds' means, or over the seeds of a single fold."""
    lines = {other["row"]["name"]: other for other in part["lines"]}
    name = line["row"]["name"]
    compared = line["row"].get("reference") or part["table"]["reference"]
    assert line["runs"] == len(line["measured"]) == line["wanted"]
    for rule, figures in line["figures"].items():
        for metric, found in figures.items():
            same(found, values(line, rule, metric))
        if name != compared:
            metric = part["table"]["metrics"][0]
            own, reference = values(line, rule, metric), values(lines[compared], rule, metric)
            same(line["differences"][rule], {k: own[k] - reference[k] for k in own})


def values(line: dict[str, Any], rule: str, metric: str) -> dict[tuple[Any, int], float]:
    return {(one["fold"], one["seed"]): one["figures"][rule][metric] for one in line["measured"]}


def same(found: dict[str, Any], runs: dict[tuple[Any, int], float]) -> None:
    folds = sorted({fold for fold, _ in runs})
    units = [np.mean([x for (f, _), x in runs.items() if f == fold]) for fold in folds]
    units = units if len(folds) > 1 else list(runs.values())
    n, mean = len(units), sum(units) / len(units)
    assert found["mean"] == pytest.approx(mean, abs=1e-9)
    assert (found["units"], found["runs"]) == (n, len(runs))
    if n > 1:
        variance = sum((x - mean) ** 2 for x in units) / (n - 1)
        assert found["error"] == pytest.approx(math.sqrt(variance / n), abs=1e-9)
    else:
        assert found["error"] is None


def test_a_changed_mean_or_error_would_be_found() -> None:
    runs = {(0, 1): 70.0, (0, 2): 72.0, (1, 1): 60.0, (1, 2): 66.0}
    right = {"mean": 67.0, "error": 4.0, "units": 2, "runs": 4}  # folds 71 and 63
    same(right, runs)
    for key, value in (("mean", 67.1), ("error", 2.6), ("units", 4)):
        with pytest.raises(AssertionError):
            same(right | {key: value}, runs)
