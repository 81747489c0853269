from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from datamodules import RAVDESS
from datamodules.formats.ravdess_name import parse_clip_name
from datamodules.packed.augmentation import normalise
from datamodules.packed.dataset import INDEX, manifest_hash, write_index
from datamodules.packed.errors import DataError
from datamodules.ravdess.prepare import RavdessSettings
from datamodules.ravdess.sample.render import RavdessSample
from tests.datamodules.loading import epoch_of, same, sizes
from tests.sample_data import FOLDS, write_manifest

ALL = ("video", "audio", "action_units")
SIX_FOLDS = [list(range(first, first + 4)) for first in range(1, 25, 4)]


def build(root: Path, **changes: Any) -> RAVDESS:
    options: dict[str, Any] = {
        "modalities": ALL,
        "fold": 0,
        "folds": FOLDS,
        "batch_size": 16,
        "seed": 1,
        "protocol": "paper",
    }
    module = RAVDESS(root, **(options | changes))
    module.prepare_data()
    module.setup()
    return module


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index as large as the real one, with next to nothing in its only array."""
    root = tmp_path_factory.mktemp("full")
    clips = [(e, i, s, r) for e in range(1, 9) for i in (1, 2) for s in (1, 2) for r in (1, 2)]
    rows: list[dict[str, object]] = [
        {"id": f"01-01-{e:02d}-{i:02d}-{s:02d}-{r:02d}-{a:02d}", "actor": a, "label": e - 1}
        for e, i, s, r in clips
        if (e, i) != (1, 2)  # there is no strong neutral
        for a in range(1, 25)
    ]
    write_index(root / INDEX, rows)
    np.save(root / "action_units.npy", np.arange(1440 * 35, dtype=np.float32).reshape(1440, 35))
    write_manifest(root, rows, task="ravdess")
    return root


@pytest.mark.parametrize("fold", range(6))
def test_folds_of_the_whole_data_set(full: Path, fold: int) -> None:
    module = build(full, modalities=["action_units"], folds=SIX_FOLDS, fold=fold)
    assert sizes(module) == {"train": 1200, "test": 240, "validation": 0}
    actors = np.array([parse_clip_name(clip).actor for clip in module.ids])
    assert set(actors[module.rows["test"]]) == set(range(4 * fold + 1, 4 * fold + 5))
    assert not set(actors[module.rows["train"]]) & set(actors[module.rows["test"]])


def test_every_clip_is_tested_once(full: Path) -> None:
    modules = [build(full, modalities=["action_units"], folds=SIX_FOLDS, fold=f) for f in range(6)]
    assert sorted(np.concatenate([m.rows["test"] for m in modules])) == list(range(1440))


def test_inner_validation_actors_leave_training(full: Path) -> None:
    options = {"modalities": ["action_units"], "folds": SIX_FOLDS, "validation_actors": 4}
    module = build(full, fold=5, **options)
    assert sizes(module) == {"train": 960, "test": 240, "validation": 240}
    assert module.evaluation_names == ["test", "validation"]
    actors = np.array([parse_clip_name(clip).actor for clip in module.ids])
    assert set(actors[module.rows["validation"]]) == {1, 2, 3, 4}
    rows = np.concatenate(list(module.rows.values()))
    assert sorted(rows) == list(range(1440))
    assert [len(loader.dataset) for loader in module.val_dataloader()] == [1440, 1440]  # type: ignore[arg-type]
    assert sum(len(b["id"]) for b in module.val_dataloader()[1]) == 240


def test_batch(packed: Path) -> None:
    module = build(packed)
    loader = module.train_dataloader()
    batch = next(iter(loader))
    assert batch["video"].shape == (16, 4, 24, 24, 3)
    assert batch["video"].dtype == torch.uint8
    assert batch["audio"].shape == (16, *module.shapes["audio"]) == (16, 13, 212)
    assert batch["action_units"].shape == (16, 35)
    assert batch["label"].dtype == batch["id"].dtype == torch.int64
    ready = module.on_after_batch_transfer(batch, 0)
    assert list(ready) == [*ALL, "label", "id"]
    assert ready["video"].shape == (16, *module.shapes["video"]) == (16, 3, 4, 24, 24)
    assert ready["video"].dtype == torch.float32
    for row, label in zip(batch["id"], batch["label"], strict=True):
        name = parse_clip_name(module.ids[int(row)])
        assert module.classes[int(label)] == module.classes[name.label]
        assert name.actor in FOLDS[1]
    assert module.provenance == "sample"
    assert module.manifest_hash == manifest_hash(packed)


def test_only_the_chosen_modalities_in_their_order(packed: Path) -> None:
    module = build(packed, modalities=["action_units", "audio"])
    batch = next(iter(module.train_dataloader()))
    assert list(batch) == ["action_units", "audio", "label", "id"]
    assert list(module.shapes) == ["action_units", "audio"]


def test_evaluation_is_in_order_complete_and_untouched(packed: Path) -> None:
    module = build(packed, evaluation_batch_size=7)
    (loader,) = module.val_dataloader()
    batches = list(loader)
    ids = torch.cat([b["id"] for b in batches])
    assert ids.tolist() == module.rows["test"].tolist()
    video = np.load(packed / "video.npy")
    assert np.array_equal(torch.cat([b["video"] for b in batches]).numpy(), video[ids])
    assert len(batches[0]["id"]) == 7


def test_order_and_augmentation_depend_on_seed_epoch_and_row_alone(packed: Path) -> None:
    first = epoch_of(build(packed), 3)
    assert same(first, epoch_of(build(packed), 3))
    assert same(first, epoch_of(build(packed, workers=2), 3))
    assert not same(first, epoch_of(build(packed), 2))
    assert not same(first, epoch_of(build(packed, seed=2), 3))
    larger = epoch_of(build(packed, batch_size=32), 3)
    assert torch.equal(
        torch.cat([b["video"] for b in first]), torch.cat([b["video"] for b in larger])
    )


def test_augmentation_is_drawn_anew_every_epoch(packed: Path) -> None:
    module = build(packed)
    clips = [
        {
            int(i): v
            for b in epoch_of(module, epoch)
            for i, v in zip(b["id"], b["video"], strict=True)
        }
        for epoch in (0, 1)
    ]
    same = [torch.equal(video, clips[1][row]) for row, video in clips[0].items()]
    assert sum(same) < len(same) / 4


def test_augmentation_does_not_depend_on_the_other_modalities(packed: Path) -> None:
    both, alone = epoch_of(build(packed), 1), epoch_of(build(packed, modalities=["video"]), 1)
    assert all(torch.equal(a["video"], b["video"]) for a, b in zip(both, alone, strict=True))


class Recorder(pl.LightningModule):
    """Trains one number and remembers every batch that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.seen: dict[int, list[dict[str, Tensor]]] = {}

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        self.seen.setdefault(self.current_epoch, []).append(batch)
        return self.layer(batch["label"][:, None].float()).mean()

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


def test_last_training_batch_of_one_is_left_out(packed: Path) -> None:
    sizes = [len(b["id"]) for b in build(packed, batch_size=21).train_dataloader()]
    assert sizes == [21, 21, 21]  # 64 = 3 * 21 + 1
    sizes = [len(b["id"]) for b in build(packed, batch_size=30).train_dataloader()]
    assert sizes == [30, 30, 4]


def test_normalise_against_plain_arithmetic() -> None:
    video = torch.randint(0, 256, (2, 3, 5, 6, 3), dtype=torch.uint8)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = ((video.numpy() / 255 - mean) / std).transpose(0, 4, 1, 2, 3)
    assert np.abs(normalise(video).numpy() - expected).max() < 1e-5
    blue_first = ((video.numpy()[..., ::-1] / 255 - mean) / std).transpose(0, 4, 1, 2, 3)
    assert np.abs(normalise(video, "bgr").numpy() - blue_first).max() < 1e-5


def test_wrong_fold_or_actors(packed: Path) -> None:
    with pytest.raises(DataError, match="fold: expected 0 to 1, found 2"):
        build(packed, fold=2)
    with pytest.raises(DataError, match="fold: expected 0 to 1, found abc"):
        build(packed, fold="abc")
    with pytest.raises(DataError, match=r"actors \[21, 22\] for the test part of fold 0, found"):
        build(packed, folds=[[21, 22], [1, 2]])
    with pytest.raises(DataError, match="for the train part of fold 0"):
        build(packed, validation_actors=2)


@pytest.mark.parametrize(
    ("video", "says"),
    [
        ({"frames": 3}, "video: expected the settings augment_per, .*channel_order, found frames"),
        ({"augment_per": "batch"}, "video.augment_per=batch: expected clip or frame"),
        ({"channel_order": "gbr"}, "video.channel_order=gbr: expected rgb or bgr"),
        ({"crop_scale": [0.8]}, "video.crop_scale=.*: expected a list of 2 numbers"),
    ],
)
def test_settings_of_video_that_do_not_fit(packed: Path, video: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        build(packed, video=video)


def test_the_group_of_video_acts_on_video_alone(packed: Path) -> None:
    group = {"augment_per": "frame", "crop_scale": [0.3, 0.4], "flip": 1, "channel_order": "bgr"}
    before = epoch_of(build(packed), 1)
    for setting, value in group.items():
        assert not same(before, epoch_of(build(packed, video={setting: value}), 1))
    rest = ["audio", "action_units"]
    before = epoch_of(build(packed, modalities=rest), 1)
    assert same(before, epoch_of(build(packed, modalities=rest, video=group), 1))


def test_other_protocol_is_refused(packed: Path) -> None:
    with pytest.raises(DataError, match="expected protocol released, found paper"):
        build(packed, protocol="released")


def test_a_set_made_with_other_settings_is_refused(packed: Path) -> None:
    build(packed, prepared={"frame_choice": "consecutive"})
    with pytest.raises(DataError, match=r"expected a set made with frame_choice=spread, found con"):
        build(packed, prepared={"frame_choice": "spread"})


def test_missing_modality_is_refused(full: Path) -> None:
    with pytest.raises(DataError, match="expected the modality audio, found action_units"):
        build(full, modalities=["audio"], folds=SIX_FOLDS)


def test_sample_is_made_on_the_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[RavdessSample] = []
    monkeypatch.setattr(RavdessSample, "ensure", lambda sample: made.append(sample))
    settings = RavdessSettings()
    module = RAVDESS(
        tmp_path / "packed",
        modalities=ALL,
        fold=0,
        folds=FOLDS,
        batch_size=4,
        seed=1,
        protocol="released",
        sample={"raw": "somewhere", "settings": settings, "actors": 4},
    )
    assert not made
    module.prepare_data()
    where = {"root": tmp_path / "packed", "raw": Path("somewhere")}
    assert made == [RavdessSample(**where, protocol="released", settings=settings, actors=4)]


def test_loader_is_what_lightning_expects(packed: Path) -> None:
    module = build(packed)
    assert isinstance(module.train_dataloader(), DataLoader)
    assert len(module.train_dataloader()) == 4
