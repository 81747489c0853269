"""FLOPs are counted once for all folds and seeds of the same settings, else anew."""

import json
from typing import Any

import pytest

from experiments.runs import make
from experiments.runs.counted import counted_before
from experiments.runs.run import Run
from tests.experiments.conftest import MakeRun

SMALL = ("fusion=none", "modalities=[action_units]", "epochs=1")


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which shapes were counted for."""
    calls: list[Any] = []
    original = make.count_flops

    def count(build: Any, shapes: Any) -> Any:
        calls.append(shapes)
        return original(build, shapes)

    monkeypatch.setattr(make, "count_flops", count)
    return calls


def test_seeds_share_what_was_counted_and_other_settings_do_not(
    make_run: MakeRun, counting: list[Any]
) -> None:
    found = [make_run(*SMALL, f"seed={seed}").complete().metrics() for seed in (1, 2)]
    assert counting == [{"action_units": [35]}]
    wide = make_run(*SMALL, "task.branches.action_units.hidden=64").complete().metrics()
    assert len(counting) == 2
    for one in found:
        assert one["flops"] == found[0]["flops"] != wide["flops"]
        assert one["paper_size_parameters"] == found[0]["paper_size_parameters"]


def test_what_decides_the_counts_has_to_be_the_same(make_run: MakeRun) -> None:
    run: Run = make_run(*SMALL)
    file = run.complete().path / "metrics.json"
    metrics = json.loads(file.read_text())
    other = make_run(*SMALL, "seed=2")
    shapes = {"action_units": [35]}

    def found(**changes: Any) -> Any:
        file.write_text(json.dumps(metrics | changes))
        return counted_before(other.folder, other.hash, shapes)

    counts = {name: metrics[name] for name in ("flops", "paper_size_parameters")}
    assert found() == counts
    assert found(sources="of an earlier commit") is None
    assert found(hash="00000000") is None
    assert found(shapes={"action_units": [17]}) is None
    for text in ("{", "[]", json.dumps({k: v for k, v in metrics.items() if k != "flops"})):
        file.write_text(text)
        assert counted_before(other.folder, other.hash, shapes) is None
