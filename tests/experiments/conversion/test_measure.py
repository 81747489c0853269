"""Converted runs and those that read runs: refused before they are measured, as any other after."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from experiments.conversion.measure import measure_converted
from experiments.evaluation.attention import measure
from experiments.evaluation.experiments import find_experiments
from experiments.evaluation.finished import Evaluation, find_runs
from experiments.evaluation.recompute import recompute
from experiments.evaluation.reopen import reopen
from experiments.evaluation.terminal import evaluation_title
from experiments.figures.report.experiment import show
from experiments.runs.folder import RunError, RunFolder
from tests.experiments.conversion.old_networks import OldMosei, settled
from tests.experiments.conversion.released_data import labels, released_mosei, scores_of
from tests.experiments.finished import finished_run

Convert = Callable[..., Path]


@pytest.fixture
def old() -> nn.Module:
    return settled(OldMosei(text=6))


@pytest.fixture
def folder(convert: Convert, old: nn.Module) -> Path:
    return convert({"epoch": 6, "model_state_dict": old.state_dict()}, "msaf_mosei_epoch6.pth")


def test_without_figures_every_reader_says_how_they_are_measured(folder: Path) -> None:
    told = rf"{folder}: converted from msaf_mosei_epoch6.pth, and not measured yet: python evalu"
    with pytest.raises(RunError, match=told):
        Evaluation(find_runs(str(folder)))
    with pytest.raises(RunError, match=told):
        find_experiments(str(folder))


def test_the_figures_are_those_of_the_old_network(
    folder: Path, old: nn.Module, tmp_path: Path
) -> None:
    root = released_mosei(tmp_path / "packed")
    measure_converted(str(folder), root)
    evaluation = Evaluation(find_runs(str(folder)))
    expected = scores_of(old, root)
    found = evaluation.predictions[0, 0]
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    np.testing.assert_allclose(found.labels, labels(), atol=1e-6)
    test = evaluation.metrics["reported"]["released"]["test"]
    assert test["mae"] == pytest.approx(np.abs(expected[:, 0] - labels()).mean(), abs=1e-5)
    assert test["corr"] == pytest.approx(np.corrcoef(expected[:, 0], labels())[0, 1], abs=1e-5)
    assert evaluation.provenance == "sample"  # what the data set says of itself
    assert "msaf (visual + audio + text, converted), fold 0, seed 0" in evaluation_title(evaluation)
    assert find_experiments(str(folder))[0][0].label == "msaf converted"


def test_a_measured_run_is_opened_again_as_any_other(folder: Path, tmp_path: Path) -> None:
    measure_converted(str(folder), released_mosei(tmp_path / "packed"))
    run = find_runs(str(folder))[0]
    assert recompute(run, "released") < 1e-5
    (module,) = measure(reopen(run, "released")).modules
    assert module.blocks.shape == (12, 5, 14)
    np.testing.assert_allclose(module.shares.sum(-1), 1, atol=1e-5)


def test_the_page_of_results_says_who_trained_it_and_how_it_was_converted(
    folder: Path, tmp_path: Path
) -> None:
    root = released_mosei(tmp_path / "packed")
    measure_converted(str(folder), root)
    article = show(find_runs(str(folder)), "x").article
    assert "Others trained it, and so it has no learning curve." in article.notes
    assert [command for _, command in article.commands] == [
        f"python scripts/convert.py in=msaf_mosei_epoch6.pth out={folder} fold=0",
        f"python evaluate.py run={folder} data.root={root}",
    ]
    assert article.facts["converted from"].startswith("msaf_mosei_epoch6.pth, sha256 ")


def test_another_data_set_makes_other_figures_and_another_hash(
    folder: Path, tmp_path: Path
) -> None:
    seen = []
    for seed in (1, 2):
        measure_converted(str(folder), released_mosei(tmp_path / f"packed{seed}", seed))
        metrics = RunFolder(folder).metrics()
        seen.append((metrics["hash"], metrics["reported"]["released"]["test"]["mae"]))
        assert recompute(find_runs(str(folder))[0], "released") < 1e-5
    assert seen[0][0] != seen[1][0] and seen[0][1] != seen[1][1]
    assert metrics["converted"]["file"] == "msaf_mosei_epoch6.pth"


def test_a_data_set_of_the_other_protocol_is_refused_and_nothing_is_lost(
    folder: Path, tmp_path: Path
) -> None:
    root = released_mosei(tmp_path / "packed")
    measure_converted(str(folder), root)
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    manifest = json.loads((root / "manifest.json").read_text())
    (root / "manifest.json").write_text(json.dumps(manifest | {"protocol": "paper"}))
    with pytest.raises(RunError, match="protocol"):
        measure_converted(str(folder), root)
    with pytest.raises(RunError, match=r"data\.root: no data set for"):
        measure_converted(str(folder), tmp_path / "none")
    assert {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()} == before


def test_killed_between_its_files_a_run_has_no_figures_rather_than_mixed_ones(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_converted(str(folder), released_mosei(tmp_path / "packed1", 1))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "begin", killed)
    with pytest.raises(KeyboardInterrupt):
        measure_converted(str(folder), released_mosei(tmp_path / "packed2", 2))
    with pytest.raises(RunError, match="not measured yet"):
        find_experiments(str(folder))


def test_a_run_that_was_trained_is_not_measured_on_other_data(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "a")
    before = (folder / "metrics.json").read_bytes()
    with pytest.raises(RunError, match=r"data\.root is for converted runs alone"):
        measure_converted(str(folder), tmp_path)
    assert (folder / "metrics.json").read_bytes() == before
