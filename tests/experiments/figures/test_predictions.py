"""Pictures of predictions: confusion matrices and levels."""

import struct
from pathlib import Path

import numpy as np
import pytest

from experiments.evaluation.classes import class_report
from experiments.figures.confusion import draw_confusion


@pytest.mark.parametrize("count", [2, 8, 60])
def test_the_picture_is_a_png_large_enough_to_read(tmp_path: Path, count: int) -> None:
    random = np.random.default_rng(0)
    report = class_report(
        random.normal(size=(300, count)),
        random.integers(0, count, 300),
        [f"c{i}" for i in range(count)],
    )
    draw_confusion(report, tmp_path / "c.png", title="a title")
    header = (tmp_path / "c.png").read_bytes()[:24]
    width, height = struct.unpack(">II", header[16:])
    assert header[:4] == b"\x89PNG" and width > 600 and height > 600
