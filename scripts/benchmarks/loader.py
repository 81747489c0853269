"""The video loader beside JPEG files with a crop a frame: clips per second and core."""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.cold import forget
from scripts.benchmarks.registry import LoaderOptions
from scripts.benchmarks.timing import keep_freed_memory, ratio, time_in_turn

SCALE = (0.8, 1.0)
COLD_ROUNDS, COLD_BATCH = 5, 4  # the paper's batch on RAVDESS
JPEG = "JPEG a frame, one crop each"


def run(options: LoaderOptions, console: Console | None = None) -> None:
    """Measure all ways on the same pictures, on one core, from files in the system's cache.

    What is packed is also read from the disk, with rows announced as the loader does, and without.
    """
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        clips = pictures(options.clips, options.frames, options.size)
        np.save(Path(folder, "video.npy"), clips)
        steps = {
            "packed, crops drawn": _packed(Path(folder), crop=False),
            "packed, cropped as well": _packed(Path(folder), crop=True),
            JPEG: _jpeg(Path(folder), clips),
        }
        seconds = time_in_turn(steps, options.rounds)
        del steps  # the system forgets no page that a process maps
        cold = _cold(Path(folder))
    shape = "x".join(map(str, clips.shape[1:]))
    table = Table("way", title=f"{date.today()}, clips of {shape}, one core", title_justify="left")
    for heading in ("clips a second", "times as fast as JPEG"):
        table.add_column(heading, justify="right")
    for name, passed in (seconds | cold).items():
        rate = len(clips) / float(np.median(passed))
        # The JPEG files were not read from a cold disk.
        times = "" if name in cold else f"{ratio(seconds[JPEG], passed):.1f}"
        table.add_row(name, f"{rate:.1f}", times)
    (console or Console()).print(table)


def pictures(clips: int, frames: int, size: int) -> np.ndarray:
    """Smooth colour pictures with some noise, which JPEG takes as long for as for a photograph."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 255, (clips, frames, 14, 14, 3), dtype=np.uint8)
    out = np.empty((clips, frames, size, size, 3), np.uint8)
    for clip, images in zip(coarse, out, strict=True):
        for image, target in zip(clip, images, strict=True):
            cv2.resize(image, (size, size), dst=target, interpolation=cv2.INTER_CUBIC)
    noise = generator.integers(0, 8, out.shape[2:], dtype=np.uint8)
    return np.minimum(out, 247) + noise


def _cold(folder: Path) -> dict[str, list[float]]:
    """The seconds of reading all clips in batches, in random order, from the disk.

    Nothing where the system keeps the file in memory, as on a disk that is memory.
    """
    with (folder / "video.npy").open("rb") as file:
        os.fsync(file.fileno())  # what is not on the disk yet cannot be forgotten
    ways = {"cold disk, rows announced": True, "cold disk, read as they fault": False}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(COLD_ROUNDS):
        for name, announced in ways.items():
            if not forget(folder / "video.npy"):
                return {}
            rows = _rows(folder)
            if not announced:
                rows.on_disk = []
            order = np.random.default_rng(0).permutation(len(rows)).tolist()
            begin = time.perf_counter()
            for start in range(0, len(order), COLD_BATCH):
                rows.__getitems__([(row, 0) for row in order[start : start + COLD_BATCH]])
            seconds[name].append(time.perf_counter() - begin)
            del rows
    return seconds


def _rows(folder: Path) -> Any:
    video = np.load(folder / "video.npy", mmap_mode="r")
    return resolve_name("datamodules.packed.rows.PackedRows")(
        {"video": video},
        np.zeros(len(video), np.int64),
        seed=0,
        draws={"video": augmentation("clip").draw},
    )


def _packed(folder: Path, *, crop: bool) -> Callable[[], object]:
    """Our loader: memory-mapped bytes and a draw a clip; the crop itself is the device's work."""
    rows = _rows(folder)
    crop_and_flip = resolve_name("datamodules.packed.augmentation.crop_and_flip")
    pairs = [(row, 0) for row in range(len(rows))]

    def step() -> object:
        batch = rows.__getitems__(pairs)
        return crop_and_flip(batch["video"], batch["video_drawn"]) if crop else batch

    return step


def _jpeg(folder: Path, clips: np.ndarray) -> Callable[[], object]:
    """A file a frame, read, cropped, resized and flipped one by one, then stacked."""
    files = [[folder / f"{c}_{t}.jpg" for t in range(len(clip))] for c, clip in enumerate(clips)]
    for names, clip in zip(files, clips, strict=True):
        for name, image in zip(names, clip, strict=True):
            cv2.imwrite(str(name), image)
    per_frame, size = augmentation("frame"), clips.shape[2:4]

    def step() -> np.ndarray:
        generator = np.random.default_rng(0)
        out = np.empty_like(clips)
        for names, target in zip(files, out, strict=True):
            drawn = per_frame.draw(clips.shape[1:], generator)
            for name, (top, left, height, width, flip), face in zip(
                names, drawn, target, strict=True
            ):
                image = np.asarray(cv2.imread(str(name)))[top : top + height, left : left + width]
                cv2.resize(image, size[::-1], dst=face, interpolation=cv2.INTER_LINEAR)
                if flip:
                    cv2.flip(face, 1, dst=face)
        return out

    return step


def augmentation(per: str) -> Any:
    """The crop and flip that is measured, drawn per `clip` or per `frame`."""
    return resolve_name("datamodules.packed.crop.CropAndFlip")(SCALE, 0.5, per)
