"""A run opened from Python, without the data set that it was made with."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.evaluation.finished import find_runs
from experiments.prediction.load import load_run
from experiments.runs.folder import RunError
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import Rows


@pytest.fixture
def trained(make_run: MakeRun) -> Path:
    run = make_run("fusion=msaf", "modalities=[audio,action_units]", "init=scratch", "epochs=2")
    run.complete()
    return run.folder.path


def test_the_network_scores_as_the_run_did(trained: Path) -> None:
    found = load_run(trained, trust=True)
    assert not found.network.training
    assert found.modalities == ("audio", "action_units")
    assert found.classes is None  # the fake data has none
    rows = Rows(["audio", "action_units"], range(48, 72))  # the test split of the fake data
    samples = [rows[i] for i in range(len(rows))]
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    with torch.no_grad():
        scores = found.network(found.preprocess(batch)).scores.numpy()
    stored = find_runs(str(trained))[0].predictions("last_epoch")
    names = [f"clip{row}" for row in batch["id"].tolist()]
    expected = dict(zip(stored.ids.tolist(), stored.scores, strict=True))
    assert np.allclose(scores, [expected[name] for name in names], atol=1e-5)


def test_a_rule_of_its_own(trained: Path) -> None:
    one, other = (load_run(trained, rule=r, trust=True) for r in ("paper_rule", "last_epoch"))
    weights = torch.load(trained / "checkpoints" / "paper_rule.pt", weights_only=True)
    assert all(torch.equal(one.network.state_dict()[key], weights[key]) for key in weights)
    assert (one.rule, other.rule) == ("paper_rule", "last_epoch")
    with pytest.raises(RunError, match=r"rule=best: .* has weights of paper_rule, last_epoch"):
        load_run(trained, rule="best", trust=True)


def test_a_folder_of_several_runs(trained: Path) -> None:
    shutil.copytree(trained, trained.with_name("seed2"))
    with pytest.raises(RunError, match=r"expected one run, found 2; name one of them, such as"):
        load_run(trained.parent)
    with pytest.raises(RunError, match="no such folder"):
        load_run(trained.with_name("seed3"))


def test_a_checkpoint_that_is_gone(trained: Path) -> None:
    (trained / "checkpoints" / "last_epoch.pt").unlink()
    with pytest.raises(
        RunError, match=r"last_epoch.pt: expected .* found no such file; train the run"
    ):
        load_run(trained, trust=True)


def test_classes_are_named_only_where_they_are_known(trained: Path) -> None:
    with pytest.raises(RunError, match=r"config.yaml: expected .* found tests.experiments"):
        load_run(trained)


def test_a_run_of_an_older_version(trained: Path) -> None:
    """One whose constructors took an argument that they take no more."""
    config = trained / "config.yaml"
    config.write_text(config.read_text().replace("  coefficients: 13", "  coefs: 13"))
    expected = r"expected a configuration of this version, found one of .*coef.*check that commit"
    with pytest.raises(RunError, match=expected):
        load_run(trained, trust=True)
