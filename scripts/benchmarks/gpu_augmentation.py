"""The video augmentation clip by clip, as the datamodules do it, beside all clips at once.

Legend: B clips, T frames, G draws a clip (1 or T), H x W pixels of a frame, h x w of the result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scripts.benchmarks.gpu_plan import Measurement
from scripts.benchmarks.gpu_report import Row
from scripts.benchmarks.gpu_timing import Bench

BATCH = 4


@dataclass(frozen=True)
class Clips:
    """Clips of one data set, and what is drawn for them.

    Args:
        name: for the report.
        shape: (T, H, W, 3).
        tiny: the same at the tiny size.
        per: one draw a clip, or one a frame.
        size: h = w of the result; by default those of the frames.
    """

    name: str
    shape: tuple[int, ...]
    tiny: tuple[int, ...]
    per: Literal["clip", "frame"] = "clip"
    size: int | None = None


CLIPS = (
    Clips("RAVDESS, a draw a clip", (30, 224, 224, 3), (8, 40, 40, 3)),
    Clips("RAVDESS, a draw a frame", (30, 224, 224, 3), (8, 40, 40, 3), per="frame"),
    Clips("NTU, enlarged to 224x224", (32, 128, 128, 3), (8, 48, 48, 3), size=224),
)


def plan(bench: Bench) -> Iterator[Measurement]:
    """All clips on the device, and beside a GPU on the CPU as well."""
    benches = [bench, Bench(torch.device("cpu"), bench.tiny)] if bench.cuda else [bench]
    for place in benches:
        for clips in CLIPS:
            names = {"clips": clips.name, "device": place.device.type}
            yield Measurement("augmentation", names, measuring(clips, place))


def measuring(clips: Clips, bench: Bench) -> Callable[[], Row]:
    """What measures the milliseconds a batch of both, and says which is faster."""

    def measure() -> Row:
        one_by_one = resolve_name("datamodules.packed.augmentation.crop_and_flip")
        augmentation: Any = resolve_name("datamodules.packed.crop.CropAndFlip")
        shape = clips.tiny if bench.tiny else clips.shape
        edge = None if clips.size is None else min(clips.size, 42 if bench.tiny else clips.size)
        size = None if edge is None else (edge, edge)
        draw = augmentation((0.8, 1.0), 0.5, clips.per).draw
        drawn = np.stack([draw(shape, np.random.default_rng(row)) for row in range(BATCH)])
        video = bench.random_bytes(BATCH, *shape)
        loop = bench.median(lambda: one_by_one(video, drawn, size=size))
        batched = bench.median(lambda: crop_and_flip_at_once(video, drawn, size=size))
        return {
            "loop_ms": 1000 * loop,
            "batched_ms": 1000 * batched,
            "loop_/_batched": loop / batched,
            "faster": "batched" if batched < loop else "loop",
        }

    return measure


def crop_and_flip_at_once(
    video: Tensor, drawn: np.ndarray, *, size: tuple[int, int] | None = None
) -> Tensor:
    """Crop, resize bilinearly and flip all clips by one `grid_sample`.

    It computes what `crop_and_flip` does on a GPU, up to the rounding of a value halfway between
    two bytes. On the CPU `crop_and_flip` resizes bytes with rounded weights, and differs by up to
    one. A place beyond the middle of a crop's outermost pixel is moved there, as the crop has no
    neighbors.

    Args:
        video: (B, T, H, W, 3) uint8.
        drawn: (B, G, 5) from `CropAndFlip.draw`.
        size: h and w, by default H and W.

    Returns:
        (B, T, h, w, 3) uint8.
    """
    clips, frames, height, width, colors = video.shape
    h, w = size or (height, width)
    draws = drawn.shape[1]
    boxes = torch.from_numpy(drawn.reshape(-1, 5)).to(video.device, non_blocking=True)
    top, left, tall, wide, flip = boxes.float()[:, :, None].unbind(1)  # (B G, 1) each
    rows = places(top, tall, h, height)  # (B G, h)
    columns = places(left, wide, w, width)  # (B G, w)
    columns = torch.where(flip > 0, columns.flip(1), columns)
    grid = torch.stack(torch.broadcast_tensors(columns[:, None], rows[:, :, None]), 3)
    # Frames that share a draw stand side by side as channels, so that the grid is read once.
    planes = video.reshape(clips * draws, frames // draws, height, width, colors)
    planes = planes.permute(0, 1, 4, 2, 3).flatten(1, 2).float()  # (B G, T / G * 3, H, W)
    resized = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    resized = resized.round_().to(torch.uint8)
    return resized.reshape(clips, frames, colors, h, w).permute(0, 1, 3, 4, 2).contiguous()


def places(first: Tensor, length: Tensor, wanted: int, whole: int) -> Tensor:
    """Where the pixels of a result lie on one axis of the frame, from -1 to 1.

    Args:
        first: (N, 1) first pixel of each crop.
        length: (N, 1) pixels of each crop.
        wanted: n, pixels of the result.
        whole: pixels of the frame.

    Returns:
        (N, n), as `grid_sample` takes them without `align_corners`.
    """
    middle = torch.arange(wanted, device=first.device) + 0.5
    inside = (middle * (length / wanted) - 0.5).clamp(min=0)  # (N, n), in pixels of the crop
    place = first + torch.minimum(inside, length - 1)
    return (2 * place + 1) / whole - 1
