"""Runs sorted into experiments, and those that are left out, each with its reason."""

from pathlib import Path

import pytest

from experiments.evaluation.experiments import find_experiments
from experiments.runs.folder import RunError
from tests.experiments.finished import experiment, finished_run


def test_runs_of_two_experiments_are_kept_apart(tmp_path: Path) -> None:
    experiment(tmp_path / "msaf" / "audio-paper-hash2.0", skill=2.0)
    experiment(tmp_path / "msaf" / "audio-paper-modality_dropout0.2-hash3.0", skill=3.0)
    found, left_out = find_experiments(str(tmp_path))
    assert [e.label for e in found] == ["msaf", "msaf (modality_dropout0.2)"]
    assert [len(e.runs) for e in found] == [6, 6]
    assert [{run.metrics["hash"] for run in e.runs} for e in found] == [{"hash2.0"}, {"hash3.0"}]
    assert not left_out


def test_experiments_that_nothing_in_their_name_tells_apart(tmp_path: Path) -> None:
    experiment(tmp_path / "a" / "audio-hash2.0", skill=2.0)
    experiment(tmp_path / "b" / "audio-hash3.0", skill=3.0)
    found, _ = find_experiments(str(tmp_path))
    assert [e.label for e in found] == ["msaf hash2.0", "msaf hash3.0"]


def test_protocols_are_told_apart(tmp_path: Path) -> None:
    for fold in ("cs", "cv"):
        folder = finished_run(tmp_path / "video-hash2.0", fold=0, seed=1 + (fold == "cv"))
        finished = folder / "metrics.json"
        finished.write_text(finished.read_text().replace('"fold": 0', f'"fold": "{fold}"'))
        folder.parent.rename(folder.parent.with_name(f"fold{fold}"))
    found, left_out = find_experiments(str(tmp_path))
    assert [e.label for e in found] == ["msaf cs", "msaf cv"]
    assert not left_out


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    good = experiment(tmp_path / "one" / "audio-hash2.0", skill=2.0)
    twice = finished_run(tmp_path / "other" / "audio-hash2.0", fold=1, seed=2, skill=2.0)
    (good / "fold0" / "seed1" / "metrics.json").write_text("{")
    begun = tmp_path / "one" / "audio-hash2.0" / "fold9" / "seed1"
    begun.mkdir(parents=True)
    (begun / "config.yaml").touch()
    found, left_out = find_experiments(str(tmp_path))
    keys = [run.key for run in found[0].runs]
    assert (0, 1) not in keys
    assert (1, 2) not in keys  # which of the two would count?
    assert len(keys) == 4
    reasons = "\n".join(left_out)
    assert f"{begun}: half-written" in reasons
    assert "metrics.json is not valid JSON" in reasons
    assert f"{good / 'fold1' / 'seed2'}: is there twice: {twice} has the same hash" in reasons


def test_nothing_that_counts(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match=r"expected what train.py writes"):
        find_experiments(str(tmp_path))
