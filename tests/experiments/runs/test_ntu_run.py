"""Runs of task=ntu on its own datamodule: both protocols of testing, and what reports say."""

import csv
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from datamodules.formats.ntu_name import SampleName
from datamodules.ntu.sample.actions import LABELS
from datamodules.ntu.sample.play import setup_of
from datamodules.ntu.sample.render import render_sample
from experiments.evaluation.terminal import footnote
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.experiments.conftest import CONFIGS
from tests.ntu_data import tiny_ntu
from tests.ntu_skeletons import Frame, random_frames, write_plain
from tests.sample_data import session_folder

OVERRIDES = [
    "task=ntu",
    "data=full",
    "modalities=[skeleton]",
    "fusion=none",
    "task.branches.skeleton.width=32",
    "datamodule.skeleton.frames=16",
    "datamodule.windows.least_frames=8",
    "epochs=1",
    "batch_size=16",
    "progress=false",
]
CLIPS = ["modalities=[video,skeleton]", "task.branches.video.width=8", "datamodule.video.size=32"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield tiny_ntu(session_folder(tmp_path_factory))[1]


def trained(packed: Path, results: Path, *overrides: str) -> Run:
    every = Overrides([*OVERRIDES, f"data.root={packed}", f"results={results}", *overrides])
    run = Run(every, Console(quiet=True))
    run.complete()
    return run


def samples(run: Run) -> set[str]:
    """The names of the test samples whose predictions were kept."""
    with np.load(run.folder.path / "predictions.npz") as file:
        return set(file["ids"].tolist())


@pytest.mark.parametrize(
    ("fold", "field", "ours"), [("cs", "P003", slice(8, 12)), ("cv", "C001", slice(4, 8))]
)
def test_what_is_tested(fold: str, field: str, ours: slice, packed: Path, tmp_path: Path) -> None:
    """Subject 3 alone of four is a test subject; camera 1 is the test camera."""
    with (packed / "index.csv").open() as lines:
        names = {row["id"] for row in csv.DictReader(lines)}
    run = trained(packed, tmp_path, f"fold={fold}")
    assert samples(run) == {name for name in names if name[ours] == field}
    assert "validation data" in footnote(run.folder, ["val_selected"])


LISTED = {1: 0, 3: 1, 11: 2}  # subject -> which of the rendered actions is in the list
STILL, MOVING = np.random.default_rng(0).normal((0, 0, 3), 0.4, (2, 25, 3))


def name(subject: int, action: int, camera: int) -> SampleName:
    return SampleName(setup_of(subject), camera, subject, 1, LABELS[action] + 1)


@pytest.fixture(scope="module")
def released(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Subjects 1 (trains), 3 (tests and is the released dev part) and 11 (tests), prepared."""
    base = tmp_path_factory.mktemp("released")
    raw, out = base / "raw", base / "packed"
    for folder in ("nturgb+d_rgb", "nturgb+d_skeletons"):
        (raw / folder).mkdir(parents=True)
    for sample in product(LISTED, range(4), (1, 2)):
        render_sample(raw, name(*sample), 0)
    listed = {subject: name(subject, action, 1).id for subject, action in LISTED.items()}
    (base / "listed.txt").write_text("\n".join(listed.values()))
    skeletons = raw / "nturgb+d_skeletons"
    write_plain(skeletons / f"{listed[1]}.skeleton", random_frames([0] * 20))
    two: list[Frame] = [[(1, STILL), (2, MOVING + 0.1 * np.sin(t))] for t in range(20)]
    write_plain(skeletons / f"{name(1, 3, 2).id}.skeleton", two)
    overrides = ["task=ntu", "protocol=released", f"raw={raw}", f"out={out}", "workers=1"]
    overrides += [f"missing_skeletons={base / 'listed.txt'}", "prepare.settings.size=37"]
    hydra.utils.instantiate(hydra.compose("prepare", overrides).prepare)
    return out


def test_all_of_the_released_protocol(released: Path, tmp_path: Path) -> None:
    """Its prepared set, its parts, its pictures, its training rule, and what it does not report."""
    run = trained(released, tmp_path, *CLIPS, "fusion=msaf", "protocol=released", "batch_size=4")
    parts = {part: {run.data.ids[row] for row in rows} for part, rows in run.data.rows.items()}
    listed = {subject: name(subject, action, 1).id for subject, action in LISTED.items()}
    every = {s: {name(s, a, c).id for a in range(4) for c in (1, 2)} for s in LISTED}
    assert parts["train"] == every[1]  # the listed one, without a body, trains
    assert parts["dev"] == every[3] - {listed[3]}
    assert samples(run) == (every[3] | every[11]) - {listed[3], listed[11]}

    with (run.folder.path / "log.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert {"train/video_loss", "train/skeleton_loss", "dev/accuracy"} <= row.keys()
    assert "validation/accuracy" not in row
    reported = json.loads((run.folder.path / "metrics.json").read_text())["reported"]
    assert set(reported) == {"paper_rule", "last_epoch"}  # nothing is chosen on the dev part
    assert "paper_rule: epoch chosen on the test data" in footnote(run.folder, reported)


def test_data_of_the_released_protocol(released: Path) -> None:
    """24 pictures, the last one black, the middle 32 of 37 pixels, blue under red's statistics."""
    overrides = [*OVERRIDES, *CLIPS, "datamodule.video.frames=8", "protocol=released"]
    cfg = hydra.compose("train", [*overrides, f"data.root={released}"])
    data = hydra.utils.instantiate(cfg.datamodule)
    data.setup()
    video, skeleton = (np.load(released / f"{m}.npy") for m in ("video", "skeleton"))
    assert video.shape[1:] == (24, 37, 37, 3)
    assert not video[:, -1].any()
    assert video[:, :-1].any((2, 3, 4)).all()
    assert skeleton.shape[1:] == (3, 20, 25, 2)
    (absent,) = np.flatnonzero(~skeleton.any((1, 2, 3, 4)))
    assert data.ids[absent] == name(1, LISTED[1], 1).id
    first = skeleton[data.ids.index(name(1, 3, 2).id), ..., 0]  # (3, 20, 25)
    assert np.abs(first - STILL.T[:, None]).max() < 1e-5

    (batch, *_) = data.val_dataloader()[0]
    found = data.on_after_batch_transfer(batch, 0)["video"]
    picture = video[batch["id"], 0, 2:34, 2:34] / 255
    for channel, (source, mean, deviation) in enumerate(
        [(2, 0.485, 0.229), (1, 0.456, 0.224), (0, 0.406, 0.225)]
    ):
        expected = (picture[..., source] - mean) / deviation
        assert np.abs(found[:, channel, 0].numpy() - expected).max() < 1e-5
        assert np.abs(found[:, channel, -1].numpy() + mean / deviation).max() < 1e-5

    (batch, *_) = data.train_dataloader()
    drawn = batch["video_drawn"]
    assert (drawn[:, 2:] == [2, 2, 32, 32, 0]).all()  # no other crop in training
    assert (drawn[:, 0] == 0.5).all()  # windows lie in the middle
