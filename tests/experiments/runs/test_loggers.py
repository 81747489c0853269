"""What loggers write beside log.csv, read back by their own libraries."""

import csv
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments.runs.folder import RunError
from experiments.runs.loggers import loggers
from tests.experiments.conftest import MakeRun


def logged(folder: Path) -> dict[str, list[float]]:
    """The columns of log.csv."""
    with (folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def test_tensorboard_has_the_figures_of_each_epoch(make_run: MakeRun) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = make_run("fusion=msaf", "epochs=2", "logger=tensorboard")
    run.complete()
    for folder in (run.folder.path, *(s.folder.path for s in run.sources.values())):
        found = EventAccumulator(str(folder / "tensorboard")).Reload()
        for name in ("train/loss", "test/accuracy"):
            events = found.Scalars(name)
            assert [event.step for event in events] == [0, 1]
            assert [event.value for event in events] == pytest.approx(logged(folder)[name])


def records(content: bytes) -> Iterator[bytes]:
    """The records of a .wandb file: LevelDB's log format behind a header of seven bytes.

    Blocks of 32 KiB hold pieces, each with a checksum (4 bytes), its length (2) and whether it is a
    whole record (1), its beginning (2), its middle (3) or its end (4).
    """
    place, record = 7, b""
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:  # too little of a block for a piece
            place += 32768 - place % 32768
            continue
        size, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        record += content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):
            yield record
            record = b""


def test_wandb_writes_each_run_into_its_own_folder_without_a_network(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs in one process: the second must not go on with the first one's curve."""
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    words = ("fusion=none", "epochs=2", "logger=wandb", "logger.project=mine")
    for modality in ("audio", "action_units"):
        run = make_run(*words, f"modalities=[{modality}]")
        run.complete()
        folder = run.folder.path
        files = list(folder.glob("wandb/offline-run-*/*.wandb"))
        assert len(files) == 1
        values, project = [], ""
        for data in records(files[0].read_bytes()):
            record = wandb_internal_pb2.Record.FromString(data)
            project = record.run.project or project
            items = {
                (item.key or "/".join(item.nested_key)): item.value_json
                for item in record.history.item
            }
            if "test/accuracy" in items:
                values.append(float(items["test/accuracy"]))
        assert project == "mine"
        assert values == pytest.approx(logged(folder)["test/accuracy"])


def test_a_logger_whose_package_is_missing(tmp_path: Path) -> None:
    cfg = OmegaConf.create(
        {"_target_": "tests.experiments.runs.test_loggers.missing", "_partial_": True, "told": []}
    )
    message = "needs a package that is not installed: no wandb.* pip install -r requirements.txt"
    with pytest.raises(RunError, match=message), loggers(cfg, tmp_path, id="a", name="b"):
        pass


def missing(save_dir: str) -> None:
    raise ModuleNotFoundError("no wandb")
