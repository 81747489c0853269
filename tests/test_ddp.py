"""One run over two processes on the CPU: `train.py trainer=ddp`."""

import json
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from torch.utils.data import DataLoader

from datamodules.packed.rows import PackedRows, batches
from experiments.runs.compose import check
from experiments.runs.folder import RunError
from tests.commands import run, tiny
from tests.experiments.conftest import CONFIGS
from tests.experiments.fakes import Rows, TinyData

DDP = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu")


class SharedData(TinyData):
    """Trains on 47 clips and tests on 23, shared between processes as the real data sets are.

    At the end of a run, each process writes down what it has tested and trained.
    """

    def __init__(self, root: str, **other: Any) -> None:
        super().__init__(root, **other)
        self.place, self.tested = Path(root), []  # type: ignore[var-annotated]

    def loader(self, first: int, last: int, *, train: bool) -> DataLoader[Any]:
        samples = [Rows(self.modalities, range(96))[row] for row in range(96)]
        arrays = {name: torch.stack([s[name] for s in samples]).numpy() for name in self.modalities}
        labels = np.array([int(sample["label"]) for sample in samples])
        packed = PackedRows(arrays, labels, seed=self.seed)
        return batches(packed, np.arange(first, last), batch_size=8, shuffle=train, workers=0)

    def train_dataloader(self) -> Any:
        return self.loader(0, 47, train=True)

    def val_dataloader(self) -> Any:
        return [self.loader(48, 71, train=False)]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        self.tested += [row for row in batch["id"].tolist() if row >= 48]
        return batch

    def teardown(self, stage: str) -> None:
        assert self.trainer is not None
        module: Any = self.trainer.lightning_module
        file = f"{'+'.join(self.modalities)}-{self.trainer.global_rank}.pt"
        state = {"network": module.network.state_dict(), "tested": self.tested}
        torch.save(state | {"steps": self.trainer.global_step}, self.place / file)


@pytest.mark.slow
def test_two_processes_train_one_network_and_test_every_clip_once(tmp_path: Path) -> None:
    """A fusion run, so three runs one after the other; beside it the same by one process."""
    found: dict[str, tuple[dict[str, Any], dict[str, np.ndarray], str]] = {}
    data = "datamodule._target_=tests.test_ddp.SharedData"
    for name, overrides in {"both": DDP, "alone": ()}.items():
        place = tmp_path / name
        place.mkdir()
        code, out, err = run("train.py", *tiny(place, data, f"data.root={place}", *overrides))
        assert code == 0, err
        assert out.count("accuracy on test") == 1  # one process speaks
        (file,) = place.glob("ravdess/full/msaf/*/fold0/seed1/metrics.json")
        assert len(list(place.rglob("metrics.json"))) == 3
        predictions = dict(np.load(file.parent / "predictions.npz"))
        found[name] = (
            json.loads(file.read_text()),
            predictions,
            (file.parent / "log.csv").read_text(),
        )

    for modalities in ("audio", "action_units", "audio+action_units"):
        one, other = (
            torch.load(tmp_path / "both" / f"{modalities}-{rank}.pt", weights_only=True)
            for rank in (0, 1)
        )
        assert all(torch.equal(one["network"][k], other["network"][k]) for k in one["network"])
        assert one["steps"] == other["steps"] == 3 * 3  # 23 clips each, in three batches
        assert sorted(one["tested"] + other["tested"]) == sorted(3 * list(range(48, 71)))
        assert not set(one["tested"]) & set(other["tested"])

    metrics, predictions, log = found["both"]
    assert metrics["hash"] != found["alone"][0]["hash"]  # steps of twice the batch
    assert list(predictions["ids"]) == [f"clip{row}" for row in range(48, 71)]
    for key in ("ids", "labels"):
        assert np.array_equal(predictions[key], found["alone"][1][key])
    hits = predictions["scores_last_epoch"].argmax(1) == predictions["labels"]
    accuracy = metrics["reported"]["last_epoch"]["test"]["accuracy"]
    assert accuracy == pytest.approx(100 * hits.mean())
    assert len(log.splitlines()) == 4


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (DDP[:1], r"as in trainer.devices=2"),
        ((*DDP, "hydra.mode=MULTIRUN"), "start each without -m"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    overrides: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        cfg = hydra.compose("train", list(overrides), return_hydra_config=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)  # as in a job of `train.py`
    with pytest.raises(RunError, match=message):
        check(cfg)


@pytest.mark.slow
def test_a_sweep_of_runs_over_several_processes_ends_in_messages(tmp_path: Path) -> None:
    code, _, err = run("train.py", "-m", *tiny(tmp_path, *DDP, "fold=0,1"))
    assert code == 1
    assert err.count("trainer=ddp: the runs of a table or a sweep") == 1 and "Traceback" not in err
    assert not list(tmp_path.rglob("config.yaml"))
