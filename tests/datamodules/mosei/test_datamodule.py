import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datamodules import MOSEI
from datamodules.packed.dataset import manifest_hash
from datamodules.packed.errors import DataError
from tests.datamodules.loading import epoch_of, same, sizes
from tests.mosei_data import write_packed

ALL = ("visual", "audio", "text")


def build(root: Path, **changes: Any) -> MOSEI:
    options: dict[str, Any] = {"modalities": ALL, "batch_size": 4, "seed": 1, "protocol": "paper"}
    module = MOSEI(root, **(options | changes))
    module.prepare_data()
    module.setup()
    return module


def videos_of(module: MOSEI, part: str) -> set[str]:
    return {module.ids[row].split("[")[0] for row in module.rows[part]}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 segments of train, 9 of valid, 12 of test, three a video."""
    return write_packed(tmp_path_factory.mktemp("mosei") / "packed")


def test_batch(packed: Path) -> None:
    module = build(packed)
    assert sizes(module) == {"train": 30, "test": 12, "validation": 9}
    assert module.evaluation_names == ["test", "validation"]
    assert module.shapes == {"visual": (35, 8), "audio": (74, 8), "text": (6, 8)}
    assert module.provenance == "sample"
    assert module.manifest_hash == manifest_hash(packed)
    batch = epoch_of(module, 0)[0]
    lengths = [f"{name}_length" for name in ALL]
    assert list(batch) == [*ALL, *lengths, "label", "id"]
    for modality, shape in module.shapes.items():
        assert batch[modality].shape == (4, *shape)
        assert batch[modality].dtype == torch.float32
        assert batch[f"{modality}_length"].dtype == torch.int64
    assert batch["label"].dtype == torch.float32
    assert batch["id"].dtype == torch.int64


def test_every_number_is_where_it_belongs(packed: Path) -> None:
    """The packed value of a row, step and channel is row + step / 8 + channel / 128 + 256 m."""
    for batch in epoch_of(build(packed, modalities=["audio", "visual"]), 2):
        for place, row in enumerate(batch["id"].tolist()):
            assert batch["visual"][place, 34, 5] == row + 5 / 8 + 34 / 128
            assert batch["audio"][place, 7, 2] == row + 2 / 8 + 7 / 128 + 256
            assert batch["audio_length"][place] == 1 + row % 8
            assert batch["label"][place] == pytest.approx((row % 19 - 9) / 3, abs=1e-6)


def test_sequences_are_views_of_what_was_packed(packed: Path) -> None:
    visual = epoch_of(build(packed), 0)[0]["visual"]  # (B, C, T)
    assert visual.transpose(1, 2).is_contiguous()


def test_half_precision_text_arrives_as_float(packed: Path) -> None:
    assert np.load(packed / "text.npy").dtype == np.float16
    batch = epoch_of(build(packed, modalities=["text"]), 0)[0]
    assert list(batch) == ["text", "text_length", "label", "id"]
    expected = np.load(packed / "text.npy")[batch["id"]].astype(np.float32).transpose(0, 2, 1)
    assert np.array_equal(batch["text"].numpy(), expected)


def test_parts_are_whole_videos(packed: Path) -> None:
    module = build(packed)
    assert videos_of(module, "train") == {f"train{i}" for i in range(10)}
    assert videos_of(module, "validation") == {f"valid{i}" for i in range(3)}
    assert videos_of(module, "test") == {f"test{i}" for i in range(4)}


def test_validation_by_a_share_of_the_train_videos(packed: Path) -> None:
    module = build(packed, evaluate_on="valid", validation=0.2)
    assert sizes(module) == {"train": 24, "test": 9, "validation": 6}
    assert videos_of(module, "test") == {f"valid{i}" for i in range(3)}
    held_out = videos_of(module, "validation")
    assert len(held_out) == 2
    assert videos_of(module, "train") == {f"train{i}" for i in range(10)} - held_out
    again = build(packed, evaluate_on="valid", validation=0.2, seed=9)
    assert again.rows["validation"].tolist() == module.rows["validation"].tolist()
    beside = build(packed, validation=0.2)
    assert videos_of(beside, "test") == {f"test{i}" for i in range(4)}
    assert videos_of(beside, "validation") == held_out


def test_the_share_does_not_depend_on_the_order_of_the_index(packed: Path, tmp_path: Path) -> None:
    names = [f"train{9 - row // 3}" for row in range(30)]
    changes = {r: {"video": v, "id": f"{v}[{r % 3}]"} for r, v in enumerate(names)}
    turned = build(write_packed(tmp_path / "turned", changes=changes), validation=0.3)
    plain = build(packed, validation=0.3)
    assert videos_of(turned, "validation") == videos_of(plain, "validation")
    assert turned.rows["validation"].tolist() != plain.rows["validation"].tolist()


def test_evaluation_is_in_order_and_complete(packed: Path) -> None:
    module = build(packed, evaluation_batch_size=5)
    for name, loader in zip(module.evaluation_names, module.val_dataloader(), strict=True):
        batches = list(loader)
        ids = torch.cat([batch["id"] for batch in batches])
        assert ids.tolist() == module.rows[name].tolist()
        assert len(batches[0]["id"]) == 5


def test_order_depends_on_seed_and_epoch_alone(packed: Path) -> None:
    first = epoch_of(build(packed), 3)
    assert same(first, epoch_of(build(packed), 3))
    assert same(first, epoch_of(build(packed, workers=2), 3))
    assert not same(first, epoch_of(build(packed), 2))
    assert not same(first, epoch_of(build(packed, seed=2), 3))
    ids = torch.cat([batch["id"] for batch in first])
    assert sorted(ids.tolist()) == list(range(30))


def test_last_training_batch_of_one_is_left_out(packed: Path) -> None:
    sizes = [len(batch["id"]) for batch in epoch_of(build(packed, batch_size=29), 0)]
    assert sizes == [29]
    sizes = [len(batch["id"]) for batch in epoch_of(build(packed, batch_size=28), 0)]
    assert sizes == [28, 2]
    evaluated = build(packed, evaluation_batch_size=11).val_dataloader()[0]
    assert [len(batch["id"]) for batch in evaluated] == [11, 1]


class Recorder(pl.LightningModule):
    """Trains one number and remembers every batch that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.seen: dict[int, list[dict[str, Tensor]]] = {}

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        self.seen.setdefault(self.current_epoch, []).append(batch)
        return self.layer(batch["label"][:, None]).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 1e-3)


def trainer(folder: Path, epochs: int) -> pl.Trainer:
    return pl.Trainer(
        default_root_dir=folder,
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )


def test_resumed_run_sees_the_same_batches(packed: Path, tmp_path: Path) -> None:
    whole, begun, resumed = Recorder(), Recorder(), Recorder()
    trainer(tmp_path, 3).fit(whole, build(packed).lightning())
    start = trainer(tmp_path, 2)
    start.fit(begun, build(packed).lightning())
    start.save_checkpoint(tmp_path / "last.ckpt")
    trainer(tmp_path, 3).fit(
        resumed, build(packed).lightning(), ckpt_path=str(tmp_path / "last.ckpt")
    )
    assert list(resumed.seen) == [2]
    assert same(begun.seen[1], whole.seen[1])
    assert same(resumed.seen[2], whole.seen[2])
    assert not same(whole.seen[0], whole.seen[1])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"fold": 1}, "fold: expected 0, for CMU-MOSEI has one division, found 1"),
        ({"evaluate_on": "train"}, "evaluate_on: expected test or valid, found train"),
        ({"evaluate_on": "valid"}, "expected another part than the one that an epoch is chosen on"),
        ({"validation": "test"}, "validation: expected valid or a share such as 0.1, found test"),
        ({"validation": None}, "expected valid or a share such as 0.1, found None"),
        ({"validation": 0.0}, r"expected a share between 0 and 1, found 0\.0"),
        ({"validation": 1.0}, r"expected a share between 0 and 1, found 1\.0"),
        ({"validation": 0.96}, "expected segments for the train part, found 30 of train"),
        ({"protocol": "released"}, "expected protocol released, found paper"),
        ({"prepared": {"alignment": "label"}}, "a set made with alignment=label, found word"),
        ({"modalities": ["video"]}, "expected the modality video, found audio, text, visual"),
    ],
)
def test_what_is_refused(packed: Path, choice: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        build(packed, **choice)


def test_settings_of_prepare_that_agree_are_accepted(packed: Path) -> None:
    build(packed, prepared={"alignment": "word", "keep_silence": False})


def test_parts_that_are_not_there(tmp_path: Path) -> None:
    untested = write_packed(tmp_path / "untested", videos={"train": 10, "valid": 3})
    with pytest.raises(DataError, match=r"for the test part, found 30 of train, 9 of valid, 0 of"):
        build(untested)
    assert sizes(build(untested, evaluate_on="valid", validation=0.1))["test"] == 9
    alone = write_packed(tmp_path / "alone", videos={"train": 10, "test": 2})
    with pytest.raises(
        DataError, match=r"the validation part.*datamodule\.validation=0\.1 selects"
    ):
        build(alone)


def test_a_video_in_two_parts_is_refused(tmp_path: Path) -> None:
    root = write_packed(tmp_path / "shared", changes={40: {"video": "train3"}})
    with pytest.raises(DataError, match=r"found 1 in both train and test \(train3\)"):
        build(root)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"label": ""}, "expected a column label with a number in every row"),
        ({"label": "nan"}, r"expected finite numbers in label, found nan for train1\[2\]"),
        ({"audio_length": 9}, "expected audio_length from 0 to 8, the packed steps, found 1 to 9"),
    ],
)
def test_spoilt_index(tmp_path: Path, entry: dict[str, object], message: str) -> None:
    root = write_packed(tmp_path / "spoilt", changes={5: entry})
    with pytest.raises(DataError, match=message):
        build(root)


def test_index_without_lengths(packed: Path, tmp_path: Path) -> None:
    root = write_packed(tmp_path / "bare")
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["index"]["columns"].remove("text_length")
    (root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="expected a column text_length"):
        build(root)
