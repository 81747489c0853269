"""The `.csd` reader beside plain h5py on the same bytes: MB a second, and the most memory taken."""

import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.registry import CsdOptions

ROOT = Path(__file__).resolve().parents[2]
ROWS, COLUMNS, RATE = 12_000, 74, 100  # a video of CMU-MOSEI in COVAREP: two minutes at 100 Hz
BYTES = ROWS * (COLUMNS + 2) * 4  # of one video, its intervals included


def run(options: CsdOptions, console: Console | None = None) -> None:
    """Write a file like COVAREP's, and read it video by video in processes of their own."""
    videos = max(1, round(options.gigabytes * 1e9 / BYTES))
    with tempfile.TemporaryDirectory(dir=options.folder or None) as folder:
        path = Path(folder, "CMU_MOSEI_COVAREP.csd")
        write_covarep(path, videos)
        passes: dict[str, list[tuple[float, float]]] = {"CsdFile": [], "plain h5py": []}
        for number in range(1 + options.rounds):  # the first one fills the system's cache
            for way in list(passes)[:: 1 if number % 2 else -1]:
                measured = in_a_process(way, path, videos)
                passes[way] += [measured] if number else []
    table = Table("way", title=f"{date.today()}, {videos} videos, {videos * BYTES / 1e9:.2f} GB")
    for heading in ("MB a second", "most memory, MB"):
        table.add_column(heading, justify="right")
    for way, measured_passes in passes.items():
        seconds, memory = zip(*measured_passes, strict=True)
        rate = videos * BYTES / 1e6 / statistics.median(seconds)
        table.add_row(way, f"{rate:.0f}", f"{max(memory):.0f}")
    (console or Console()).print(table)


def write_covarep(path: Path, videos: int) -> None:
    """A `.csd` file of random frames."""
    import h5py

    generator = np.random.default_rng(0)
    ticks = np.arange(ROWS, dtype=np.float32)[:, None] / RATE
    intervals = np.concatenate([ticks, ticks + 1 / RATE], 1)
    features = generator.standard_normal((ROWS, COLUMNS), dtype=np.float32)
    with h5py.File(path, "w") as file:
        for video in range(videos):
            file[f"COVAREP/data/{video:05d}/intervals"] = intervals
            file[f"COVAREP/data/{video:05d}/features"] = np.roll(features, video, axis=0)
        file["COVAREP/metadata/root name"] = np.array([b'"COVAREP"'])


def in_a_process(way: str, path: Path, videos: int) -> tuple[float, float]:
    """Seconds of reading the whole file once, and the peak memory in MB of a process for it."""
    command = [sys.executable, "-m", "scripts.benchmarks.csd", way, str(path)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    seconds, memory, rows = map(float, said.split())
    if rows != videos * ROWS:
        raise RuntimeError(f"{path}: {way} read {rows:.0f} rows of {videos * ROWS}")
    return seconds, memory


def main(way: str, path: str) -> None:
    """Read once, and print seconds, peak memory in MB, and rows."""
    begin = time.perf_counter()
    rows = WAYS[way](Path(path))
    seconds = time.perf_counter() - begin
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    print(seconds, int(status.split()[0]) / 1000, rows)


def read_with_csd_file(path: Path) -> int:
    """Read with the project's reader; the number of rows."""
    with resolve_name("datamodules.formats.csd.CsdFile")(path) as file:
        return sum(min(len(file.intervals(v)), len(file.features(v))) for v in file.videos)


def read_with_h5py(path: Path) -> int:
    """Read the same bytes with h5py alone; the number of rows."""
    import h5py

    with h5py.File(path, "r") as file:
        groups = file["COVAREP/data"].values()
        return sum(min(len(g["intervals"][()]), len(g["features"][()])) for g in groups)


WAYS = {"CsdFile": read_with_csd_file, "plain h5py": read_with_h5py}

if __name__ == "__main__":
    main(*sys.argv[1:])
