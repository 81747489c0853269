"""NTU RGB+D files: skeletons beside a plain line-by-line reader, video beside plain decoding."""

import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.registry import NtuOptions
from scripts.benchmarks.timing import keep_freed_memory, milliseconds, ratio

JOINTS, FIELDS = 25, 12
BODIES = 100  # of the skeleton file, one a frame: 300 kB


def run(options: NtuOptions, console: Console | None = None) -> None:
    """Write one file of each kind, read them in turn, and print what each takes."""
    keep_freed_memory()
    console = console or Console()
    with tempfile.TemporaryDirectory() as folder:
        skeleton, video = Path(folder, "S.skeleton"), Path(folder, "S_rgb.avi")
        write_skeleton(skeleton, BODIES)
        write_video(video, options.frames, *options.picture)
        console.print(
            compare(
                f"a skeleton file of {skeleton.stat().st_size / 1000:.0f} kB",
                {"line by line": lambda: read_plain(skeleton), "here": reader(skeleton)},
                options.rounds,
            )
        )
        width, height = options.picture
        console.print(
            compare(
                f"{options.frames} pictures of {width}x{height}, H.264",
                {
                    "all decoded and converted": lambda: decode(video, convert=True),
                    "all decoded": lambda: decode(video, convert=False),
                    "prepared: 32 of 128x128": preparation(video),
                },
                options.rounds,
            )
        )


def compare(title: str, candidates: dict[str, Callable[[], object]], rounds: int) -> Table:
    """Time the candidates in turn; the first is the one that the others are compared with.

    All of them run on one thread, so the processor's own clock is right, however busy it is.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(1 + rounds):  # the first one warms up
        for name in list(candidates)[:: 1 if number % 2 else -1]:
            begin = time.process_time()
            candidates[name]()
            seconds[name] += [time.process_time() - begin] if number else []
    table = Table("way", title=f"{date.today()}, {title}")
    for heading in ("CPU milliseconds", "times as fast"):
        table.add_column(heading, justify="right")
    first = next(iter(candidates))
    for name, passed in seconds.items():
        table.add_row(name, f"{milliseconds(passed):.1f}", f"{ratio(seconds[first], passed):.1f}")
    return table


def write_skeleton(path: Path, frames: int) -> None:
    """One body in each frame, standing where random numbers put it."""
    generator = np.random.default_rng(0)
    lines = [str(frames)]
    for _ in range(frames):
        lines += ["1", "72057594037931101 0 1 1 1 1 0 -0.0413784 0.1019991 2", str(JOINTS)]
        values = generator.normal(0, 1, (JOINTS, FIELDS - 1))
        lines += [" ".join(f"{value:.7g}" for value in row) + " 2" for row in values]
    path.write_text("\n".join(lines) + "\n")


def write_video(path: Path, frames: int, width: int, height: int) -> None:
    """Blurred noise that drifts, so that every picture takes work to decode."""
    import av
    import cv2

    small = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "28"}
        for number in range(frames):
            shifted = np.roll(image, 3 * number, axis=1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shifted, format="rgb24")))
        container.mux(stream.encode())


def read_plain(path: Path) -> list[list[np.ndarray]]:
    """Every field of every line through `float`; positions alone are kept."""
    with path.open() as file:
        frames = []
        for _ in range(int(file.readline())):
            bodies = []
            for _ in range(int(file.readline())):
                file.readline()
                lines = [file.readline().split() for _ in range(int(file.readline()))]
                numbers = [[float(field) for field in fields] for fields in lines]
                bodies.append(np.array([row[:3] for row in numbers], np.float32))
            frames.append(bodies)
    return frames


def reader(path: Path) -> Callable[[], object]:
    """The project's reader of one file."""
    read = resolve_name("datamodules.formats.skeleton.read_skeleton")
    return lambda: read(path)


def preparation(path: Path) -> Callable[[], object]:
    """The project's preparation of one video."""
    module = resolve_name("datamodules.ntu.clip")
    work, sample = (
        module.PrepareSample(path.parent, module.NtuSettings()),
        module.Sample(path, None),
    )
    return lambda: work(sample)


def decode(path: Path, *, convert: bool) -> int:
    """PyAV's own loop on one thread; the number of pictures."""
    import av

    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if convert:
                frame.to_ndarray(format="rgb24")
            count += 1
    return count
