"""The benchmark for a GPU: on a CPU and tiny, every section; nothing here judges a time."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console

from datamodules.packed.augmentation import crop_and_flip
from datamodules.packed.crop import CropAndFlip
from scripts import benchmark
from scripts.benchmarks import gpu, gpu_loader, gpu_module, gpu_steps
from scripts.benchmarks.cases import CASES
from scripts.benchmarks.gpu_augmentation import crop_and_flip_at_once
from scripts.benchmarks.gpu_module import least_bytes
from scripts.benchmarks.gpu_plan import Measurement, SkippedError
from scripts.benchmarks.gpu_report import TITLES, Report, Row, table
from scripts.benchmarks.gpu_shares import augmenting
from scripts.benchmarks.gpu_steps import (
    RAVDESS,
    TRAININGS,
    Way,
    configured,
    measuring,
    random_batch,
    trained,
)
from scripts.benchmarks.gpu_timing import Bench, float32_products
from scripts.benchmarks.registry import GPU_SECTIONS

CPU = Bench(torch.device("cpu"), tiny=True)
ABOUT = {
    "device": "cpu",
    "versions": {"torch": "2"},
    "commit": None,
    "command": "c",
    "started": "now",
    "cores": 1,
}


def flags() -> tuple[Any, ...]:
    return (
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


def read(out: Path) -> tuple[dict[str, Any], str]:
    return json.loads(out.with_suffix(".json").read_text()), out.with_suffix(".md").read_text()


def measure_all(measurements: list[Measurement], out: Path, seconds: float = 100) -> None:
    report = Report(str(out), ABOUT)
    gpu.measure_all(measurements, CPU, report, seconds, Console(file=io.StringIO()))


def giving(name: str, outcome: Row | BaseException, seconds: float = 1.0) -> Measurement:
    def run() -> Row:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return Measurement("text", {"precision": name}, run, seconds)


@pytest.mark.parametrize("section", GPU_SECTIONS)
def test_every_section_is_in_both_files(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_steps, "TRAININGS", (RAVDESS, TRAININGS[-1]))  # `shares` has them all
    monkeypatch.setattr(gpu_module, "CASES", CASES[-2:])
    before = flags()
    given = [f"only=[{section}]", f"out={tmp_path}/gpu", "compile=false"]
    benchmark.main(["gpu", "device=cpu", "size=tiny", *given])
    found, text = read(tmp_path / "gpu")
    assert found["complete"] and not found["failed"]
    assert list(found["sections"]) == [section]
    assert f"## {TITLES[section]}" in text
    for row in found["sections"][section]:
        names = [value for value in row.values() if isinstance(value, str)]
        figures = [value for value in row.values() if not isinstance(value, str)]
        assert names and all(name in text for name in names)
        assert figures and all(math.isfinite(x) and x > 0 for x in figures)
    for entry in found["skipped"]:
        assert f"* {entry['section']}, {entry['name']}: {entry['reason']}" in text
    assert found["command"].startswith("python scripts/benchmark.py gpu device=cpu size=tiny only=")
    assert {"python", "torch", "transformers"} <= set(found["versions"])
    assert flags() == before


def test_sections_have_the_same_names_everywhere() -> None:
    assert tuple(gpu.PLANS) == tuple(TITLES) == GPU_SECTIONS


def test_without_a_gpu_one_message_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"no GPU on this machine.*gpu device=cpu size=tiny"):
        benchmark.main(["gpu", f"out={tmp_path}/gpu"])
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_leaves_what_it_measured(tmp_path: Path) -> None:
    measurements = [giving("a", {"ms": 2.5}), giving("b", KeyboardInterrupt()), giving("c", {})]
    with pytest.raises(KeyboardInterrupt):
        measure_all(measurements, tmp_path / "gpu")
    found, text = read(tmp_path / "gpu")
    assert found["sections"] == {"text": [{"precision": "a", "ms": 2.5}]}
    assert not found["complete"] and "not come to its end" in text
    assert "| a | 2.50 |" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gpu.json", "gpu.md"]


def test_what_does_not_fit_into_memory_is_skipped_and_the_rest_goes_on(tmp_path: Path) -> None:
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nSee the manual.")
    measurements = [giving("a", full), giving("b", {"ms": 1.0}), giving("c", SkippedError("no c"))]
    measure_all(measurements, tmp_path / "gpu.json")  # a suffix may stand there
    found, text = read(tmp_path / "gpu")
    assert [row["precision"] for row in found["sections"]["text"]] == ["b"]
    reason = "it does not fit into the memory: CUDA out of memory. Tried to allocate 2 GiB."
    assert found["skipped"][0] == {"section": "text", "name": "a", "reason": reason}
    assert f"* text, a: {reason}" in text
    assert found["skipped"][1]["reason"] == "no c"
    assert found["complete"]


def test_another_error_is_listed_and_ends_the_run_with_a_message(tmp_path: Path) -> None:
    measurements = [giving("a", RuntimeError("no kernel")), giving("b", {"ms": 1.0})]
    with pytest.raises(ValueError, match=r"1 of the measurements failed.*a: RuntimeError: no ker"):
        measure_all(measurements, tmp_path / "gpu")
    found, text = read(tmp_path / "gpu")
    assert found["complete"] and len(found["sections"]["text"]) == 1
    assert "## Failed" in text


def test_what_no_longer_fits_into_the_time_is_skipped(tmp_path: Path) -> None:
    measurements = [giving("a", {"ms": 1.0}, seconds=1e5), giving("b", {"ms": 1.0})]
    measure_all(measurements, tmp_path / "gpu", seconds=100)
    found, _ = read(tmp_path / "gpu")
    assert [row["precision"] for row in found["sections"]["text"]] == ["b"]
    assert "it takes about 5000 s" in found["skipped"][0]["reason"]


def test_a_lost_gpu_ends_the_run_with_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def free(_: Bench) -> None:
        raise RuntimeError("illegal memory access")

    monkeypatch.setattr(Bench, "free", free)
    with pytest.raises(ValueError, match="no longer answers"):
        measure_all([giving("a", {"ms": 1.0}), giving("b", {"ms": 1.0})], tmp_path / "gpu")
    found, _ = read(tmp_path / "gpu")
    assert len(found["sections"]["text"]) == 1 and not found["complete"]


def test_the_floor_counts_every_byte_that_has_to_move() -> None:
    case = next(case for case in CASES if case.name == "MOSEI")
    # 16 samples of 32 + 64 + 128 channels with 50 steps are 179,200 numbers, 716,800 bytes.
    # Forward reads and writes them. Backward reads maps and gradients, and writes gradients.
    assert least_bytes(case, training=False) == 2 * 716_800
    assert least_bytes(case, training=True) == 5 * 716_800


def augmentation_on_floats(
    video: torch.Tensor, drawn: np.ndarray, size: tuple[int, int]
) -> torch.Tensor:
    """One frame after the other, resized as floats."""
    clips = []
    for clip, draws in zip(video, drawn.repeat(video.shape[1] // drawn.shape[1], 1), strict=True):
        frames = []
        for frame, (top, left, height, width, flip) in zip(clip, draws.tolist(), strict=True):
            crop = frame[top : top + height, left : left + width].permute(2, 0, 1).float()
            resized = F.interpolate(crop[None], size=size, mode="bilinear")[0].round()
            frames.append((resized.flip(2) if flip else resized).permute(1, 2, 0).byte())
        clips.append(torch.stack(frames))
    return torch.stack(clips)


@pytest.mark.parametrize("per", ["clip", "frame"])
@pytest.mark.parametrize("size", [None, (50, 36), (16, 20)])
def test_clips_at_once_are_what_the_loop_makes(per: Any, size: tuple[int, int] | None) -> None:
    torch.manual_seed(0)
    shape = (4, 40, 30, 3)
    augmentation = CropAndFlip((0.3, 1.0), 0.5, per)
    drawn = np.stack([augmentation.draw(shape, np.random.default_rng(i)) for i in range(6)])
    assert 0 < drawn[..., 4].mean() < 1  # some are flipped
    video = torch.randint(256, (6, *shape), dtype=torch.uint8)
    wanted = crop_and_flip(video, drawn, size=size)
    found = crop_and_flip_at_once(video, drawn, size=size)
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    assert (found.int() - wanted.int()).abs().max() <= 1  # the CPU's weights are rounded
    # On a GPU the loop resizes floats.
    floats = augmentation_on_floats(video, drawn, size or (40, 30))
    apart = (found.int() - floats.int()).abs()
    assert apart.max() <= 1 and apart.float().mean() < 0.01  # halfway values


@pytest.mark.parametrize("training", TRAININGS, ids=lambda training: training.name)
def test_a_step_trains_in_mixed_precision(training: Any) -> None:
    if training.name == "MOSEI":
        pytest.skip("the CPU has no bfloat16 LSTM for training")
    before = flags()
    way = Way("bf16, channels_last", "bf16", channels_last=True)
    with trained(training, way, CPU) as (trainee, cfg):
        batch = random_batch(training, cfg, CPU)
        weight = next(trainee.task.network.parameters())
        kept = weight.detach().clone()
        trainee.step(batch)
        assert not torch.equal(weight, kept)
        assert flags() != before
    assert flags() == before


@pytest.mark.parametrize("training", TRAININGS, ids=lambda training: training.name)
def test_a_random_batch_is_shaped_as_the_datamodule_shapes_one(training: Any) -> None:
    cfg = configured(training, CPU)
    found, made = random_batch(training, cfg, CPU), augmenting(training, cfg, CPU)()
    assert {name: (x.shape, x.dtype) for name, x in found.items()} == {
        name: (x.shape, x.dtype) for name, x in made.items()
    }


def test_backend_flags_are_set_back_after_an_error() -> None:
    before = flags()
    with pytest.raises(torch.OutOfMemoryError), float32_products("tf32"):
        assert torch.backends.cudnn.allow_tf32
        raise torch.OutOfMemoryError("full")
    with pytest.raises(ZeroDivisionError), trained(RAVDESS, Way("fp32", "fp32"), CPU):
        raise ZeroDivisionError
    assert flags() == before


def test_on_a_gpu_events_are_read_after_it_has_done_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    class Event:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            calls.append("mark")

        def elapsed_time(self, end: "Event") -> float:
            assert calls[-1] == "wait"
            return 250.0  # milliseconds

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append("wait"))
    bench = Bench(torch.device("cuda"), tiny=True)
    seconds = bench.rounds(
        lambda: calls.append("step"), most=2, before=lambda: calls.append("flush")
    )
    assert seconds == [0.25, 0.25]
    timed = ["flush", "mark", "step", "mark"]
    assert calls == ["step", "wait", *timed, *timed, "wait"]


def test_the_loader_is_compared_with_the_fastest_step_of_ravdess() -> None:
    report = Report("gpu", ABOUT)
    report.sections = {"loader": [{"clips_per_second": 300.0}]}
    gpu_loader.compare(report)
    assert report.sections["loader"] == [{"clips_per_second": 300.0}]
    rates = {"RAVDESS": (50.0, 100.0), "MOSEI": (900.0,)}
    report.sections["steps"] = [
        {"network": name, "clips_per_second": rate} for name in rates for rate in rates[name]
    ]
    gpu_loader.compare(report)
    assert report.rows("loader")[0]["times_what_the_fastest_step_needs"] == 3.0


def test_a_table_has_a_dash_where_a_row_has_no_figure() -> None:
    lines = table([{"name": "a|b", "ms": 0.01234}, {"name": "c", "peak_gb": 1234.5, "batch": 4}])
    assert lines.splitlines() == [
        "| name | ms | peak gb | batch |",
        "| --- | ---: | ---: | ---: |",
        "| a/b | 0.0123 | - | - |",
        "| c | - | 1,234 | 4 |",
    ]


@pytest.mark.slow
def test_a_compiled_step_can_be_measured() -> None:
    row = measuring(TRAININGS[-1], Way("fp32, compile", "fp32", compile=True), CPU)()
    assert float(row["clips_per_second"]) > 0


@pytest.mark.gpu
def test_the_whole_command_runs_on_a_gpu(tmp_path: Path) -> None:
    benchmark.main(["gpu", "size=tiny", f"out={tmp_path}/gpu"])
    found, _ = read(tmp_path / "gpu")
    assert found["complete"] and set(found["sections"]) == set(GPU_SECTIONS)
    assert all(float(row["peak_gb"]) > 0 for row in found["sections"]["steps"])
