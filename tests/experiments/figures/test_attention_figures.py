"""Figures of attention: their numbers beside numpy's, from attention that is made by hand."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.evaluation.attention import Measured, ModuleAttention
from experiments.evaluation.finished import Evaluation, find_runs
from experiments.figures import (
    attention_blocks,
    attention_classes,
    attention_samples,
    attention_segments,
)
from experiments.figures.attention_runs import MeasuredRuns
from experiments.runs.folder import RunError
from tests.experiments.finished import NAMES, experiment

FOLDS, SEEDS = 3, 2
EARLY, LATE = ("video",) * 3 + ("audio",), ("video", "audio", "audio")


def attention(random: np.random.Generator, name: str, owner: tuple[str, ...]) -> ModuleAttention:
    x = random.random((40, 2, len(owner)))
    return ModuleAttention(name, owner, x / x.sum(-1, keepdims=True))


@pytest.fixture
def runs(tmp_path: Path) -> MeasuredRuns:
    evaluation = Evaluation(find_runs(str(experiment(tmp_path, folds=FOLDS, seeds=SEEDS))))
    by_run = {}
    for key, p in evaluation.predictions.items():
        random = np.random.default_rng([int(key[0]), key[1]])
        modules = attention(random, "early", EARLY), attention(random, "late", LATE)
        by_run[key] = Measured(p.ids, p.labels, p.scores, modules)
    return MeasuredRuns(evaluation, by_run)


def over_folds(values: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Means within the folds, then their mean and its standard error."""
    means = [np.mean([x for (f, _), x in values.items() if f == fold]) for fold in range(FOLDS)]
    return float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(FOLDS))


def test_shares_by_class(runs: MeasuredRuns) -> None:
    rows = attention_classes.class_rows(runs)
    assert [row["class"] for row in rows[:10:2]] == NAMES
    assert len(rows) == 2 * 5 * 2
    for row in rows:
        k, m = NAMES.index(row["class"]), ["early", "late"].index(row["module"])
        parts = {
            "early": {"video": [0, 1, 2], "audio": [3]},
            "late": {"video": [0], "audio": [1, 2]},
        }
        blocks = parts[row["module"]][row["modality"]]
        values = {}
        for key, measured in runs.by_run.items():
            of_class = measured.modules[m].blocks[measured.labels == k]
            values[key] = float(np.mean([sample[:, blocks].sum(1).mean() for sample in of_class]))
        assert (row["mean"], row["error"]) == pytest.approx(over_folds(values))
        assert (row["units"], row["unit"], row["runs"]) == (3, "folds", 6)
        assert row["uniform"] == pytest.approx(len(blocks) / {"early": 4, "late": 3}[row["module"]])
        assert row["provenance"] == "real"
    by_class = [sum(r["mean"] for r in rows[i : i + 2]) for i in range(0, 20, 2)]
    assert by_class == pytest.approx([1.0] * 10)


def test_a_class_that_a_fold_lacks_is_averaged_over_the_others(runs: MeasuredRuns) -> None:
    for (fold, _), measured in runs.by_run.items():
        if fold == 2:
            measured.labels[measured.labels == 0] = 1
    row = attention_classes.class_rows(runs)[0]
    assert (row["class"], row["units"], row["runs"]) == (NAMES[0], 2, 4)


def test_attention_by_block(runs: MeasuredRuns) -> None:
    rows = attention_blocks.block_rows(runs)
    assert [row["block"] for row in rows] == [1, 2, 3, 4, 1, 2, 3]
    assert [row["modality"] for row in rows] == [*EARLY, *LATE]
    assert [row["uniform"] for row in rows] == pytest.approx([1 / 4] * 4 + [1 / 3] * 3)
    for row in rows:
        m, block = ["early", "late"].index(row["module"]), row["block"] - 1
        values = {k: x.modules[m].blocks[:, :, block].mean() for k, x in runs.by_run.items()}
        assert (row["mean"], row["error"]) == pytest.approx(over_folds(values))


def test_shares_by_segment(runs: MeasuredRuns) -> None:
    rows = attention_segments.segment_rows(runs)
    assert len(rows) == 2 * 2 * 2
    for row in rows[:4]:  # of the early module
        blocks = [0, 1, 2] if row["modality"] == "video" else [3]
        values = {
            key: measured.modules[0].blocks[:, row["segment"] - 1, blocks].sum(-1).mean()
            for key, measured in runs.by_run.items()
        }
        assert (row["mean"], row["error"]) == pytest.approx(over_folds(values))


def test_shares_by_sample(runs: MeasuredRuns) -> None:
    rows = attention_samples.sample_rows(runs)
    assert len(rows) == 6 * 40 * 2 * 2
    measured = runs.by_run[1, 2]
    mine = [r for r in rows if (r["fold"], r["seed"], r["id"]) == (1, 2, "fold1clip07")]
    assert [(r["module"], r["modality"]) for r in mine] == [
        (m, x) for m in ("early", "late") for x in ("video", "audio")
    ]
    assert {r["label"] for r in mine} == {NAMES[measured.labels[7]]}
    assert {r["predicted"] for r in mine} == {NAMES[measured.scores[7].argmax()]}
    assert mine[1]["share"] == pytest.approx(measured.modules[0].blocks[7, :, 3].mean())


def test_labels_of_a_regression_are_rounded_halves_to_the_even_one() -> None:
    labels = np.array([-3.4, -0.5, 0.5, 1.5, 2.5, 2.6])
    measured = Measured(labels, labels, labels[:, None], ())
    evaluation: Any = SimpleNamespace(classifies=False, metrics={})
    runs = MeasuredRuns(evaluation, {(0, 1): measured})
    assert runs.groups(measured).tolist() == [-3, 0, 0, 2, 2, 3]
    assert runs.group_names() == {-3: "-3", 0: "0", 2: "2", 3: "3"}


def test_one_run_has_no_error(runs: MeasuredRuns) -> None:
    single = MeasuredRuns(runs.evaluation, {(0, 1): runs.by_run[0, 1]})
    assert {row["error"] for row in attention_classes.class_rows(single)} == {None}
    assert "1 run, mean over 2 segments; standard error: one run, no error" in single.title_of_means


@pytest.mark.parametrize(
    ("place", "draw", "rows", "name"),
    [
        (attention_classes, "figure6", "class_rows", "figure6"),
        (attention_blocks, "figure7", "block_rows", "figure7"),
        (attention_segments, "segments_figure", "segment_rows", "segments"),
        (attention_samples, "samples_figure", "sample_rows", "samples"),
    ],
)
def test_pictures_and_their_numbers_are_written(
    runs: MeasuredRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    place: Any, draw: str, rows: str, name: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(place, "measure_runs", lambda **asked: runs)
    paths = getattr(place, draw)(tmp_path / "out")
    assert [path.name for path in paths] == [f"{name}.{k}" for k in ("png", "svg", "pdf", "csv")]
    with paths[-1].open() as file:
        found = list(csv.DictReader(file))
    expected = getattr(place, rows)(runs)
    assert found == [{k: str(v) for k, v in row.items()} for row in expected]
    title = paths[1].read_text()
    assert "ravdess, msaf (video + audio), folds 0, 1, 2, seeds 1, 2" in title


def test_without_several_segments_there_is_no_figure_of_them(
    runs: MeasuredRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, measured in runs.by_run.items():
        late = measured.modules[1]
        whole = ModuleAttention(late.name, late.of_block, late.blocks[:, :1])
        runs.by_run[key] = Measured(measured.ids, measured.labels, measured.scores, (whole,))
    monkeypatch.setattr(attention_segments, "measure_runs", lambda **asked: runs)
    with pytest.raises(RunError, match="figure=segments: late of these runs see the whole"):
        attention_segments.segments_figure(tmp_path / "out")
    assert not (tmp_path / "out").exists()
