"""Alignment against the slow oracle, on times that share boundaries, overlap and have gaps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.formats.mosei_folds import read_folds
from datamodules.mosei.alignment import Timeline, means, pad_left
from datamodules.mosei.from_csd import find_csd_files, plan_csd
from datamodules.mosei.segment import MoseiSettings
from tests.datamodules.mosei.files import write_folder
from tests.datamodules.mosei.oracle import Content, align, rows_in

VIDEOS = ["-x", "25522", "255224", "Ab_c", "zz"]
STEPS = 6


def random_content(seed: int) -> Content:
    generator = np.random.default_rng(seed)

    def times(rows: int, longest: int) -> np.ndarray:
        """On a grid of 50 ms: boundaries coincide, some rows have no length, none is in order."""
        start = generator.integers(0, 80, rows)
        return np.stack([start, start + generator.integers(0, longest, rows)], 1) * 0.05 + 100

    def sequence(columns: int, rows: int) -> tuple[Any, Any]:
        features = generator.normal(size=(rows, columns)).astype(np.float32)
        features[generator.random(features.shape) < 0.05] = -np.inf
        features[generator.random(features.shape) < 0.05] = np.nan
        return times(rows, 4), features

    def words() -> tuple[Any, Any]:
        texts = generator.choice([b"sp", b"good", b"bad", b"day"], (15, 1)).astype("S32")
        return times(15, 8), texts

    def labels() -> tuple[Any, Any]:
        return times(8, 40), generator.uniform(0, 3, (8, 7)).astype(np.float32)

    content: Content = {
        "words": {video: words() for video in VIDEOS},
        "visual": {video: sequence(35, 25) for video in VIDEOS},
        "audio": {video: sequence(74, 40) for video in VIDEOS},
        "labels": {video: labels() for video in VIDEOS},
    }
    del content["visual"]["25522"]  # must not take 255224 with it
    del content["labels"]["zz"]
    return content


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("alignment", "keep_silence"), [("label", True), ("word", False)])
def test_against_the_oracle(tmp_path: Path, seed: int, alignment: str, keep_silence: bool) -> None:
    content = random_content(seed)
    raw = write_folder(tmp_path, content, {"train": VIDEOS[:3], "valid": [], "test": ["Ab_c"]})
    settings = MoseiSettings(alignment, keep_silence, steps=STEPS)  # type: ignore[arg-type]
    files, _ = find_csd_files(raw)
    plan = plan_csd(files, read_folds(raw / "folds.json"), settings)
    expected, sentences = align(
        content, VIDEOS, by_word=alignment == "word", keep_silence=keep_silence, steps=STEPS
    )

    assert [segment.id for segment in plan.segments] == list(expected)  # the SDK's order as well
    assert {segment.id: segment.sentence for segment in plan.segments} == sentences
    every = {f"{video}[{i}]" for video in VIDEOS[:4] for i in range(8)}
    assert plan.dropped.keys() == every - expected.keys()
    assert {plan.dropped[f"25522[{i}]"] for i in range(8)} == {"its video has no visual"}
    assert any(name.startswith("255224[") for name in expected)
    assert plan.work is not None
    for segment, item in zip(plan.segments, plan.items, strict=True):
        arrays = plan.work(item).arrays
        for kind, array in arrays.items():
            assert array.shape == (STEPS, {"visual": 35, "audio": 74}[kind])
            assert np.allclose(array, expected[segment.id][kind], atol=1e-5)
            padded = STEPS - segment.lengths[kind]
            assert not array[:padded].any()
            if alignment == "label":
                assert array[padded].any()


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_stretches(seed: int) -> None:
    """Times of odd numbers too, where a row's end differs from the next begin by a rounding."""
    generator = np.random.default_rng(seed)
    ticks = (np.arange(300) / 99 + generator.choice([0, 7e-6, -7e-6, 2e-5], 300)).astype(np.float32)
    intervals = np.sort(ticks[generator.integers(0, 300, (60, 2))], 1).astype(np.float64)
    stretches = np.sort(ticks[generator.integers(0, 300, (40, 2))], 1).astype(np.float64)
    which, rows = Timeline.of(intervals).overlapping(stretches)
    assert (np.diff(which) >= 0).all()
    for number, (t0, t1) in enumerate(stretches):
        expected = rows_in((intervals, None), t0, t1) if t1 - t0 > 1e-5 else []
        assert rows[which == number].tolist() == expected


def test_a_row_on_a_boundary_belongs_to_both_sides() -> None:
    timeline = Timeline.of(np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]))
    which, rows = timeline.overlapping(np.array([[0.0, 1.5], [1.5, 2.0], [2.0, 2.0], [5.0, 6.0]]))
    assert which.tolist() == [0, 0, 1]
    assert rows.tolist() == [0, 1, 1]


def test_means_are_unweighted_and_zero_without_rows() -> None:
    averages = means(np.array([[1.0, 4.0], [3.0, 0.0], [7.0, 7.0]]), np.array([0, 0, 2]), 4)
    assert averages.tolist() == [[2, 2], [0, 0], [7, 7], [0, 0]]
    assert means(np.zeros((0, 3)), np.zeros(0, np.int64), 2).tolist() == [[0] * 3] * 2


def test_the_last_rows_are_kept() -> None:
    rows = np.arange(1, 4, dtype=np.float64)[:, None]
    assert pad_left(rows, 2).ravel().tolist() == [2, 3]
    assert pad_left(rows, 5).ravel().tolist() == [0, 0, 1, 2, 3]
    assert pad_left(rows[:0], 2).ravel().tolist() == [0, 0]
