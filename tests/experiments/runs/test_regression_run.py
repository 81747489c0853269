"""Runs of a regression: what each rule reports, what is written, and what is made of it."""

import csv
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats
from sklearn import metrics as sk

from experiments.evaluation.finished import Evaluation, compare, find_runs
from experiments.evaluation.levels import level_report
from experiments.evaluation.recompute import recompute
from experiments.evaluation.terminal import print_difference, print_evaluation, print_runs
from experiments.evaluation.write import write_evaluation
from experiments.figures.predictions import draw_predictions
from experiments.runs.folder import RunError
from experiments.runs.rules import ReportingRule
from experiments.runs.run import Run
from tests.experiments.sentiment import make_run, train

METRICS = ["mae", "corr", "acc7", "acc2", "f1", "has0_acc2", "has0_f1"]
TEXT = ("fusion=none", "modalities=[text]", "epochs=6")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sentiment")


@pytest.fixture(scope="module")
def text(place: Path) -> list[Run]:
    """The text network under two seeds."""
    return [train(place, *TEXT, f"seed={seed}") for seed in (1, 2)]


@pytest.fixture(scope="module")
def fused(place: Path) -> list[Run]:
    return [train(place, "fusion=msaf", f"seed={seed}") for seed in (1, 2)]


def log_of(run: Run) -> list[dict[str, float]]:
    with (run.folder.path / "log.csv").open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def evaluated(runs: list[Run], rule: str | None = None) -> Evaluation:
    return Evaluation(find_runs([str(run.folder.path) for run in runs]), rule)


def test_one_epoch_chosen_on_validation_is_the_headline(text: list[Run]) -> None:
    for run in text:
        metrics, rows = run.folder.metrics(), log_of(run)
        assert metrics["headline"] == "val_selected"
        errors = [row["validation/mae"] for row in rows]
        chosen = metrics["reported"]["val_selected"]
        assert chosen["epoch"] == errors.index(min(errors))
        for name in METRICS:
            assert chosen["test"][name] == pytest.approx(rows[chosen["epoch"]][f"test/{name}"])


def test_the_papers_rule_takes_each_metric_from_its_own_best_validation_epoch(
    text: list[Run],
) -> None:
    epochs = set()
    for run in text:
        rows, found = log_of(run), run.folder.metrics()["reported"]["paper_rule"]
        assert list(found["test"]) == list(found["epoch"]) == METRICS
        for name in METRICS:
            values = [row[f"validation/{name}"] for row in rows]
            best = values.index(min(values) if name == "mae" else max(values))
            assert found["epoch"][name] == best
            assert found["test"][name] == pytest.approx(rows[best][f"test/{name}"])
            assert found["validation"][name] == pytest.approx(values[best])
        epochs |= set(found["epoch"].values())
    assert len(epochs) > 1  # the metrics disagree, so the rule is put to the test


def test_predictions_and_weights_are_those_of_single_epochs(text: list[Run]) -> None:
    run = text[0]
    data = np.load(run.folder.path / "predictions.npz")
    assert set(data) == {"ids", "labels", "scores_val_selected", "scores_last_epoch"}
    weights = sorted(path.stem for path in (run.folder.path / "checkpoints").iterdir())
    assert weights == ["last_epoch", "val_selected"]
    for rule in weights:
        p, y = data[f"scores_{rule}"][:, 0].astype(float), data["labels"].astype(float)
        found = run.folder.metrics()["reported"][rule]["test"]
        assert found["mae"] == pytest.approx(sk.mean_absolute_error(y, p))
        assert found["corr"] == pytest.approx(stats.pearsonr(y, p).statistic)
        assert found["acc2"] == pytest.approx(
            100 * sk.accuracy_score(y[y != 0] > 0, p[y != 0] > 0), abs=1e-4
        )


def test_lengths_travel_and_the_three_lstms_are_fused(fused: list[Run]) -> None:
    run = fused[0]
    assert not run.sources  # from scratch
    parameters = run.folder.metrics()["parameters"]
    # Text of 20 features instead of 768: 4 * 128 * 748 parameters less than the paper's 689,337.
    assert parameters["total"] == 689_337 - 4 * 128 * 748
    assert parameters["fusion"] == 10_840
    assert run.folder.metrics()["paper_size_parameters"]["with_heads"] == 689_337


def test_a_stopped_run_goes_on_to_the_same_figures(
    text: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = text[0].folder
    run = make_run(tmp_path, *TEXT)
    from pytorch_lightning import Trainer

    original = Trainer.save_checkpoint
    saved = []

    def stop(self: Trainer, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)  # type: ignore[arg-type]
        saved.append(self.current_epoch)
        if len(saved) == 3:
            raise InterruptedError

    monkeypatch.setattr(Trainer, "save_checkpoint", stop)
    with pytest.raises(InterruptedError):
        run.complete()
    monkeypatch.setattr(Trainer, "save_checkpoint", original)
    again = train(tmp_path, *TEXT)
    assert again.folder.metrics()["reported"] == whole.metrics()["reported"]
    first, second = (np.load(f.path / "predictions.npz") for f in (whole, again.folder))
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_evaluation_reads_figures_levels_and_calibration(text: list[Run], tmp_path: Path) -> None:
    evaluation = evaluated(text)
    figure = evaluation.figures()["val_selected"]["mae"]
    by_hand = [r.folder.metrics()["reported"]["val_selected"]["test"]["mae"] for r in text]
    assert (figure.mean, figure.error) == pytest.approx((np.mean(by_hand), stats.sem(by_hand)))
    write_evaluation(evaluation, None, tmp_path)
    draw_predictions(evaluation, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "figures.csv", "evaluation_val_selected.json", "calibration_val_selected.csv",
        *(f"levels_val_selected.{kind}" for kind in ("csv", "pdf", "png", "svg")),
    }  # fmt: skip
    summary = json.loads((tmp_path / "evaluation_val_selected.json").read_text())
    assert sum(row["n"] for row in summary["levels"]) == 48
    header = (tmp_path / "levels_val_selected.png").read_bytes()[:24]
    assert header[:4] == b"\x89PNG" and min(struct.unpack(">II", header[16:])) > 600


def test_a_difference_is_paired_by_run_and_by_sample(text: list[Run], fused: list[Run]) -> None:
    first, second = evaluated(text), evaluated(fused)
    found = compare(first, second)
    errors = {
        name: np.mean([np.abs(p.scores[:, 0] - p.labels) for p in e.predictions.values()], axis=0)
        for name, e in (("first", first), ("second", second))
    }
    paired = errors["first"] - errors["second"]
    assert found.samples.mean == pytest.approx(paired.mean(), abs=1e-6)
    assert found.samples.error == pytest.approx(stats.sem(paired), abs=1e-6)
    assert found.metrics["mae"].mean == pytest.approx(paired.mean(), abs=1e-6)
    console = Console(width=80, soft_wrap=True)
    with console.capture() as out:
        print_difference(first, second, found, console)
    assert f"{found.metrics['mae'].mean:+.3f} ± {found.metrics['mae'].error:.3f}" in out.get()
    assert f"{found.metrics['acc2'].mean:+.1f} ±" in out.get()
    assert "lower is better: mae" in out.get()


def test_what_is_printed_fits_and_flags_the_separate_epochs(text: list[Run]) -> None:
    console = Console(width=80, soft_wrap=True)
    with console.capture() as out:
        headline = print_runs([run.folder for run in text[:1]], console)
        print_evaluation(evaluated(text), console)
    shown = out.get()
    reported = text[0].folder.metrics()["reported"]
    assert headline == reported["val_selected"]["test"]["mae"]
    assert f"{reported['val_selected']['test']['mae']:.3f}" in shown
    assert f"{reported['val_selected']['test']['f1']:.1f}" in shown
    assert "paper_rule†" in shown and "val_selected*" in shown
    assert "† paper_rule: each metric from its own best epoch on the validation data" in shown
    tables = [line for line in shown.splitlines() if not line.startswith("*") and "/" not in line]
    assert max(map(len, tables)) <= 80


def test_a_rule_of_several_epochs_has_no_predictions(text: list[Run]) -> None:
    with pytest.raises(RunError, match=r"each metric from another epoch .* rule=val_selected"):
        evaluated(text, "paper_rule")


def test_predictions_of_another_run_are_noticed(text: list[Run], tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text((text[0].folder.path / "metrics.json").read_text())
    data = dict(np.load(text[0].folder.path / "predictions.npz"))
    np.savez(tmp_path / "predictions.npz", **data | {"labels": data["labels"] + 1})
    with pytest.raises(RunError, match=r"metrics.json says mae .* they are not of one run"):
        Evaluation(find_runs(str(tmp_path)))


def test_predictions_are_made_again_from_the_weights(text: list[Run]) -> None:
    assert recompute(evaluated(text).runs[0], "val_selected", trust=True) < 1e-5


def test_a_start_from_a_rule_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"protocol.init_from=paper_rule .* no weights"):
        make_run(tmp_path, "fusion=msaf", "init=unimodal", "protocol=released")


@pytest.mark.parametrize("fusion", ["average", "multiply", "multiplicative"])
def test_a_fusion_of_probabilities_is_refused_before_anything_is_trained(
    tmp_path: Path, fusion: str
) -> None:
    with pytest.raises(RunError, match=f"fusion={fusion} .*probabilities.* task=mosei"):
        make_run(tmp_path, f"fusion={fusion}")


NEWER = ["squeeze_excitation", "gmu", "crossmodal", "bottleneck"]


@pytest.mark.parametrize("fusion", ["sum", "uniform", "mmtm", "concat", "embracenet", *NEWER])
def test_the_other_fusions_train(tmp_path: Path, fusion: str) -> None:
    run = train(tmp_path, f"fusion={fusion}", "epochs=1")
    assert 0 < run.folder.metrics()["reported"]["last_epoch"]["test"]["mae"] < 4


def test_rules_by_direction() -> None:
    lower = ReportingRule("validation", "mae", "min")
    old, new = {"validation": {"mae": 0.6}}, {"validation": {"mae": 0.5}}
    assert lower.better(new, old) and not lower.better(old, new) and not lower.better(old, old)
    assert ReportingRule("validation", "mae").better(old, new)
    unknown = {"validation": {"mae": float("nan")}}
    assert lower.better(old, unknown) and not lower.better(unknown, old)
    with pytest.raises(RunError, match="no such metric maes: the task has mae"):
        ReportingRule("validation", "maes").better(new, None)


def test_levels_and_tenths_by_hand() -> None:
    labels = np.array([-3.0, -2.6, 0.5, 0.0, 1.5, 2.0])
    report = level_report(np.array([-2.0, -3.0, 0.4, 0.6, 2.2, 2.4]), labels)
    rows = {row["label"]: row for row in report.rows()}
    assert list(rows) == [-3, 0, 2]  # 0.5 rounds to 0, 1.5 to 2
    assert [row["n"] for row in rows.values()] == [2, 2, 2]
    assert rows[-3]["mae"] == pytest.approx((1.0 + 0.4) / 2)
    assert [row["acc7"] for row in rows.values()] == [50, 50, 100]
    assert rows[2]["mean_prediction"] == pytest.approx(2.3)
    assert rows[2]["mean_label"] == pytest.approx(1.75)
    tenths = report.calibration()
    assert [row["n"] for row in tenths] == [1] * 6
    assert [row["mean_label"] for row in tenths] == [-2.6, -3.0, 0.5, 0.0, 1.5, 2.0]


def test_the_error_of_a_tenth_counts_each_sample_once() -> None:
    random = np.random.default_rng(0)
    predicted, labels = random.normal(size=200), random.normal(size=200)
    once = level_report(predicted, labels).calibration()[3]
    lowest = np.sort(predicted)[60:80]
    here = labels[np.isin(predicted, lowest)]
    assert once["error"] == pytest.approx(stats.sem(here))
    twice = level_report(np.tile(predicted, 2), np.tile(labels, 2), repeats=2).calibration()[3]
    assert twice["error"] == pytest.approx(once["error"], rel=0.05)
