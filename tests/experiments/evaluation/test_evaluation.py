"""Finished runs read back: figures, classes, differences, recomputation, and bad folders."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sklearn import metrics as sk

from experiments.evaluation.classes import class_report
from experiments.evaluation.finished import (
    Evaluation,
    common_folder,
    compare,
    find_runs,
)
from experiments.evaluation.places import incomplete_runs
from experiments.evaluation.terminal import print_difference, print_evaluation
from experiments.evaluation.write import write_evaluation
from experiments.figures.predictions import draw_predictions
from experiments.runs.folder import RunError
from tests.experiments.finished import NAMES, RunsCode, experiment, finished_run


def said(evaluation: Evaluation, width: int = 80) -> str:
    console = Console(width=width, soft_wrap=True)
    with console.capture() as out:
        print_evaluation(evaluation, console)
    return out.get()


def test_class_figures_by_hand() -> None:
    # True 0: 0 0 2; true 2: 2 2 2 3; 3 is predicted alone, 1 neither there nor predicted.
    labels, predicted = np.array([0, 0, 0, 2, 2, 2, 2]), np.array([0, 0, 2, 2, 2, 2, 3])
    report = class_report(np.eye(4)[predicted], labels, ["a", "b", "c", "d"])
    assert report.names == ("a", "c", "d")
    assert report.confusion.tolist() == [[2, 1, 0], [0, 3, 1], [0, 0, 0]]
    assert report.counts.tolist() == [3, 4, 0]
    assert report.recall == pytest.approx([200 / 3, 75, 0])
    assert report.precision == pytest.approx([100, 75, 0])
    assert report.shares[1].tolist() == [0, 75, 25]
    # An asymmetric one, so that rows and columns cannot change places unseen.
    report = class_report(np.eye(2)[[1, 1, 1]], np.array([0, 0, 1]), ["a", "b"])
    assert report.confusion.tolist() == [[0, 2], [0, 1]]
    assert report.recall[1] == 100 and report.precision[1] == pytest.approx(100 / 3)
    assert report.f1[1] == pytest.approx(50)


def test_class_figures_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores, labels = random.normal(size=(500, 8)), random.integers(0, 8, 500)
    report = class_report(scores, labels, list("abcdefgh"))
    predicted = scores.argmax(1)
    assert np.array_equal(report.confusion, sk.confusion_matrix(labels, predicted))
    precision, recall, f1, n = sk.precision_recall_fscore_support(labels, predicted)
    assert report.precision == pytest.approx(100 * precision, abs=1e-4)
    assert report.recall == pytest.approx(100 * recall, abs=1e-4)
    assert report.f1 == pytest.approx(100 * f1, abs=1e-4)
    assert np.array_equal(report.counts, n)


def test_one_run_is_read_back_under_its_headline(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    evaluation = Evaluation(find_runs(str(folder)))
    data = np.load(folder / "predictions.npz")
    assert evaluation.rule == "last_epoch"
    expected = sk.confusion_matrix(data["labels"], data["scores_last_epoch"].argmax(1))
    assert np.array_equal(evaluation.report.confusion, expected)
    chosen = Evaluation(find_runs(str(folder)), "paper_rule").report.confusion
    assert np.array_equal(
        chosen, sk.confusion_matrix(data["labels"], data["scores_paper_rule"].argmax(1))
    )
    assert not np.array_equal(chosen, expected)


def test_several_runs_are_averaged_and_pooled(tmp_path: Path) -> None:
    runs = find_runs(str(experiment(tmp_path / "a")))
    evaluation = Evaluation(runs)
    assert [run.key for run in runs] == [(f, s) for f in range(3) for s in (1, 2)]
    found = evaluation.figures()["last_epoch"]["accuracy"]
    assert (found.units, found.unit, found.runs) == (3, "folds", 6)
    by_hand = [run.metrics["reported"]["last_epoch"]["test"]["accuracy"] for run in runs]
    assert found.mean == pytest.approx(np.mean(by_hand))
    assert evaluation.report.confusion.sum() == 6 * 40
    pooled = np.trace(evaluation.report.confusion) / 240
    assert 100 * pooled == pytest.approx(found.mean)


def test_incomplete_runs_are_left_out_and_counted(tmp_path: Path) -> None:
    experiment(tmp_path, folds=1)
    begun = tmp_path / "fold9" / "seed1"
    begun.mkdir(parents=True)
    (begun / "config.yaml").write_text("{}")
    assert len(find_runs(str(tmp_path))) == 2
    assert incomplete_runs(str(tmp_path)) == [begun]


def test_a_difference_is_paired(tmp_path: Path) -> None:
    first = Evaluation(find_runs(str(experiment(tmp_path / "a", skill=3.0))))
    second = Evaluation(find_runs(str(experiment(tmp_path / "b", skill=1.0))))
    found = compare(first, second)
    a, b = first.values("accuracy"), second.values("accuracy")
    folds = [np.mean([a[f, s] - b[f, s] for s in (1, 2)]) for f in range(3)]
    assert found.metrics["accuracy"].mean == pytest.approx(np.mean(folds))
    assert found.metrics["accuracy"].error == pytest.approx(np.std(folds, ddof=1) / np.sqrt(3))
    assert found.samples is not None
    assert found.samples.mean == pytest.approx(np.mean(folds))
    assert found.samples.units == 120


def test_what_is_printed_names_rules_headline_and_sample_data(tmp_path: Path) -> None:
    folder = finished_run(tmp_path, provenance="sample")
    (folder / "config.yaml").write_text("reporting: {paper_rule: {split: test}}")
    text = said(Evaluation(find_runs(str(folder))))
    assert "ravdess, msaf (video + audio), fold 0, seed 1 (sample data)" in text
    assert "last_epoch*" in text and "* the headline" in text
    assert "paper_rule: epoch chosen on the test data" in text
    assert "fearful" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_difference_prints_its_sign_and_what_its_error_covers(tmp_path: Path) -> None:
    first = Evaluation(find_runs(str(experiment(tmp_path / "a", skill=1.0))))
    second = Evaluation(find_runs(str(experiment(tmp_path / "b", skill=3.0))))
    console = Console(width=80, soft_wrap=True)
    with console.capture() as out:
        print_difference(first, second, compare(first, second), console)
    assert "3 folds, seeds averaged within each" in out.get()
    assert f"{compare(first, second).metrics['accuracy'].mean:+.1f} ±" in out.get()


def test_files_hold_the_same_figures(tmp_path: Path) -> None:
    evaluation = Evaluation(find_runs(str(experiment(tmp_path / "a"))))
    write_evaluation(evaluation, compare(evaluation, evaluation), tmp_path / "out")
    draw_predictions(evaluation, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "evaluation_last_epoch.json").read_text())
    figure = evaluation.figures()["last_epoch"]["accuracy"]
    assert summary["figures"]["last_epoch"]["accuracy"]["mean"] == figure.mean
    assert summary["provenance"] == "real"
    assert summary["difference"]["metrics"]["accuracy"]["mean"] == 0
    lines = (tmp_path / "out" / "confusion_last_epoch.csv").read_text().splitlines()
    assert lines[0].split(",")[1:] == [*NAMES, "provenance"]
    counts = [list(map(int, line.split(",")[1:-1])) for line in lines[1:]]
    assert counts == evaluation.report.confusion.tolist() == summary["confusion"]
    classes = (tmp_path / "out" / "classes_last_epoch.csv").read_text().splitlines()
    assert classes[0] == "class,n,recall,precision,f1,provenance" and len(classes) == 6


@pytest.mark.parametrize("provenance", ["sample", "real"])
def test_every_row_of_every_csv_says_on_what_data_it_stands(
    tmp_path: Path, provenance: str
) -> None:
    folder = finished_run(tmp_path, provenance=provenance)
    evaluation = Evaluation(find_runs(str(folder)))
    write_evaluation(evaluation, None, tmp_path / "out")
    draw_predictions(evaluation, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("*.csv"))
    names = ["classes_last_epoch.csv", "confusion_last_epoch.csv", "figures.csv"]
    assert [file.name for file in files] == names
    for file in files:
        head, *rows = (line.rpartition(",")[2] for line in file.read_text().splitlines())
        assert head == "provenance" and rows and set(rows) == {provenance}


def test_class_indices_stand_in_for_missing_names(tmp_path: Path) -> None:
    folder = finished_run(tmp_path, classes=None)
    assert Evaluation(find_runs(str(folder))).report.names == ("0", "1", "2", "3", "4")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        find_runs(str(tmp_path / "nothing"))


def test_a_folder_without_metrics(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no complete run \(no metrics.json\)"):
        find_runs(str(tmp_path))


def test_runs_of_two_tasks_or_experiments(tmp_path: Path) -> None:
    finished_run(tmp_path / "a")
    finished_run(tmp_path / "b", task="ntu")
    with pytest.raises(RunError, match=r"found 2 experiments: .*a/.* is ravdess .*ntu msaf"):
        find_runs(str(tmp_path))
    finished_run(tmp_path / "c", skill=1.0)
    with pytest.raises(
        RunError,
        match=r"found 2 experiments: .*a/.*hash2.*c/.*; name one",
    ):
        find_runs([str(tmp_path / "a"), str(tmp_path / "c")])
    with pytest.raises(RunError, match="one task on both sides"):
        compare(*(Evaluation(find_runs(str(tmp_path / name))) for name in "ab"))


def test_a_run_named_twice(tmp_path: Path) -> None:
    folder = str(finished_run(tmp_path))
    with pytest.raises(RunError, match="found two for fold 0 seed 1"):
        find_runs([folder, folder])


def test_an_unknown_rule(tmp_path: Path) -> None:
    runs = find_runs(str(finished_run(tmp_path)))
    with pytest.raises(RunError, match=r"rule=best: .* paper_rule, last_epoch; choose"):
        Evaluation(runs, "best")


def test_unmatched_folds_are_named(tmp_path: Path) -> None:
    first = Evaluation(find_runs(str(experiment(tmp_path / "a"))))
    second = Evaluation(find_runs(str(experiment(tmp_path / "b", skill=1.0, folds=2))))
    with pytest.raises(ValueError, match="second set lacks fold 2 seed 1, fold 2 seed 2"):
        compare(first, second)


def test_other_test_samples_are_not_compared(tmp_path: Path) -> None:
    first, second = finished_run(tmp_path / "a"), finished_run(tmp_path / "b", skill=1.0)
    data = dict(np.load(second / "predictions.npz"))
    np.savez(second / "predictions.npz", **data | {"ids": data["ids"][::-1]})
    with pytest.raises(RunError, match="same test samples on both sides"):
        compare(*(Evaluation(find_runs(str(folder))) for folder in (first, second)))


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
def test_predictions_that_are_cut_off(tmp_path: Path, keep: float) -> None:
    folder = finished_run(tmp_path)
    whole = (folder / "predictions.npz").read_bytes()
    length = int(keep * len(whole)) if isinstance(keep, float) else keep
    (folder / "predictions.npz").write_bytes(whole[:length])
    with pytest.raises(RunError, match=r"predictions.npz: expected .* found (nothing|damage)"):
        Evaluation(find_runs(str(folder)))


def test_predictions_with_pickled_objects_are_not_unpickled(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    trap = np.array([RunsCode(tmp_path / "ran")], dtype=object)
    np.savez(folder / "predictions.npz", ids=trap, labels=trap, scores_last_epoch=trap)
    with pytest.raises(RunError, match=r"predictions.npz"):
        Evaluation(find_runs(str(folder)))
    assert not (tmp_path / "ran").exists()


def test_predictions_of_another_run_are_noticed(tmp_path: Path) -> None:
    first, second = finished_run(tmp_path / "a", skill=3.0), finished_run(tmp_path / "b", skill=0.0)
    shutil.copy(second / "predictions.npz", first / "predictions.npz")
    with pytest.raises(RunError, match="they are not of one run"):
        Evaluation(find_runs(str(first)))


def test_half_written_metrics(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "metrics.json").write_text('{"hash": ')
    with pytest.raises(RunError, match="not valid JSON"):
        find_runs(str(folder))


@pytest.mark.parametrize("content", ["{}", "[]", '{"task": "ravdess"}'])
def test_metrics_of_something_else(tmp_path: Path, content: str) -> None:
    (tmp_path / "metrics.json").write_text(content)
    said = r"expected what train.py writes, found (no .*fusion, .*fold|Input should be a .* dict)"
    with pytest.raises(RunError, match=said):
        find_runs(str(tmp_path))


def test_the_common_folder(tmp_path: Path) -> None:
    runs = find_runs(str(experiment(tmp_path / "a")))
    assert common_folder(runs) == tmp_path / "a"
    assert common_folder(runs[:2]) == tmp_path / "a" / "fold0"
    assert common_folder(runs[:1]) == tmp_path / "a" / "fold0" / "seed1"
