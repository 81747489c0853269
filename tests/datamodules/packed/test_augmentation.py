import numpy as np
import pytest
import torch
from torchvision.transforms import RandomResizedCrop

from datamodules.packed.augmentation import crop_and_flip
from datamodules.packed.crop import CropAndFlip

SIZE = 60


def ramp(frames: int = 6) -> np.ndarray:
    """Red is the column and green the row, so that a crop tells where it is from."""
    y, x = np.mgrid[:SIZE, :SIZE]
    image = np.stack([4 * x, 4 * y, np.zeros_like(x)], -1).astype(np.uint8)
    return np.broadcast_to(image, (frames, SIZE, SIZE, 3))


def augmented(augmentation: CropAndFlip, clip: np.ndarray, seed: int = 0) -> np.ndarray:
    drawn = augmentation.draw(clip.shape, np.random.default_rng(seed))
    return crop_and_flip(torch.from_numpy(clip.copy())[None], drawn[None])[0].numpy()


def test_one_crop_and_flip_for_all_frames_of_a_clip() -> None:
    for seed in range(20):
        out = augmented(CropAndFlip((0.3, 0.9), 0.5, "clip"), ramp(), seed)
        assert (out == out[0]).all()


def test_drawn_anew_for_every_frame() -> None:
    out = augmented(CropAndFlip((0.3, 0.9), 0.5, "frame"), ramp(30)).astype(int)
    assert len({frame.tobytes() for frame in out}) == 30
    flipped = out[:, 30, -1, 0] < out[:, 30, 0, 0]
    assert 5 < flipped.sum() < 25


def test_same_generator_same_crop() -> None:
    augmentation = CropAndFlip((0.3, 0.9), 0.5, "clip")
    assert np.array_equal(augmented(augmentation, ramp(), 3), augmented(augmentation, ramp(), 3))
    assert not np.array_equal(
        augmented(augmentation, ramp(), 3), augmented(augmentation, ramp(), 4)
    )


def test_whole_picture_without_flip_is_unchanged() -> None:
    out = augmented(CropAndFlip((1.0, 1.0), 0.0, "clip"), ramp())
    drawn = CropAndFlip((1.0, 1.0), 0.0, "clip")._box(SIZE, SIZE, np.random.default_rng(0))
    assert drawn == (0, 0, SIZE, SIZE)
    assert np.array_equal(out, ramp())


def test_flip_mirrors() -> None:
    plain = augmented(CropAndFlip((0.5, 0.9), 0.0, "clip"), ramp())
    mirrored = augmented(CropAndFlip((0.5, 0.9), 1.0, "clip"), ramp())
    assert np.array_equal(mirrored, plain[:, :, ::-1])


def test_output_is_the_drawn_box_resized() -> None:
    augmentation = CropAndFlip((0.5, 0.9), 0.0, "clip")
    top, left, height, width = augmentation._box(SIZE, SIZE, np.random.default_rng(5))
    columns = left + (np.arange(SIZE) + 0.5) * width / SIZE - 0.5
    rows = top + (np.arange(SIZE) + 0.5) * height / SIZE - 0.5
    out = augmented(augmentation, ramp(), 5)[0].astype(float)
    assert np.abs(out[30, :, 0] - 4 * columns.clip(left, left + width - 1)).max() <= 1
    assert np.abs(out[:, 30, 1] - 4 * rows.clip(top, top + height - 1)).max() <= 1


@pytest.mark.parametrize("shape", [(60, 60), (40, 90)])
def test_boxes_are_distributed_as_torchvision_draws_them(shape: tuple[int, int]) -> None:
    augmentation, generator = CropAndFlip((0.5, 1.0), 0.5, "clip"), np.random.default_rng(0)
    ours = np.array([augmentation._box(*shape, generator) for _ in range(4000)])
    torch.manual_seed(0)
    image = torch.zeros(3, *shape)
    draw = RandomResizedCrop.get_params
    theirs = np.array([draw(image, [0.5, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)])
    assert (ours[:, :2] >= 0).all()
    assert (ours[:, 0] + ours[:, 2]).max() <= shape[0]
    assert (ours[:, 1] + ours[:, 3]).max() <= shape[1]
    if shape[0] == shape[1]:  # elsewhere theirs falls back to a middle part, ours to the whole
        assert np.abs(ours.mean(0) - theirs.mean(0)).max() < 0.6
        assert np.abs(ours.std(0) - theirs.std(0)).max() < 0.6
    area = ours[:, 2] * ours[:, 3] / (shape[0] * shape[1])
    assert 0.45 < area.min() < area.max() <= 1


@pytest.mark.parametrize(("scale", "share"), [((0.8, 1.4), 0.249), ((0.8, 1.0), 0.009)])
def test_share_of_whole_frames(scale: tuple[float, float], share: float) -> None:
    """Ten tries, then the whole frame: shares measured on the released code's torchvision."""
    augmentation, generator = CropAndFlip(scale, 0.5, "frame"), np.random.default_rng(0)
    drawn = augmentation.draw((20_000, 224, 224, 3), generator)
    whole = (drawn[:, :4] == (0, 0, 224, 224)).all(1).mean()
    assert abs(whole - share) < 4 * np.sqrt(share * (1 - share) / 20_000) + 0.001


def test_input_is_not_changed() -> None:
    video = torch.from_numpy(ramp().copy())[None]
    before = video.clone()
    drawn = CropAndFlip((0.3, 0.9), 1.0, "frame").draw(ramp().shape, np.random.default_rng(0))
    crop_and_flip(video, drawn[None])
    assert torch.equal(video, before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_same_on_the_device() -> None:
    video = torch.from_numpy(ramp().copy())[None]
    drawn = CropAndFlip((0.3, 0.9), 1.0, "clip").draw(ramp().shape, np.random.default_rng(0))[None]
    there = crop_and_flip(video.cuda(), drawn).cpu()
    assert (there.int() - crop_and_flip(video, drawn).int()).abs().max() <= 1


def test_every_clip_has_its_own_draw() -> None:
    augmentation = CropAndFlip((0.3, 0.9), 0.5, "clip")
    drawn = np.stack([augmentation.draw(ramp().shape, np.random.default_rng(s)) for s in (0, 1)])
    both = crop_and_flip(torch.from_numpy(np.stack([ramp(), ramp()])), drawn).numpy()
    assert np.array_equal(both[0], augmented(augmentation, ramp(), 0))
    assert np.array_equal(both[1], augmented(augmentation, ramp(), 1))
