"""The paper's work on a GPU: training steps, augmentation, the module, text and the loader."""

import os
import time
import warnings
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import torch
import transformers
from rich.console import Console

from experiments.runs.make import environment
from experiments.runs.sources import commit
from scripts.benchmarks import (
    gpu_augmentation,
    gpu_loader,
    gpu_module,
    gpu_shares,
    gpu_steps,
    gpu_text,
)
from scripts.benchmarks.gpu_plan import Measurement, SkippedError
from scripts.benchmarks.gpu_report import Report, Row
from scripts.benchmarks.gpu_timing import Bench
from scripts.benchmarks.options import written
from scripts.benchmarks.registry import GpuOptions

PLANS = {
    "steps": gpu_steps.plan,
    "shares": gpu_shares.plan,
    "augmentation": gpu_augmentation.plan,
    "module": gpu_module.plan,
    "text": gpu_text.plan,
    "loader": gpu_loader.plan,
}
# Out of memory, on whichever side: the CPU's allocator has no class of its own.
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)
LOST = "the GPU no longer answers"


def run(options: GpuOptions, console: Console | None = None) -> None:
    """Take all measurements that fit into the time and the memory, and write each at once.

    Raises:
        ValueError: there is no GPU; it says what to type instead. Or some measurements failed.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device=cuda: torch finds no GPU on this machine. Run this command where there is one, "
            "or try it on the CPU: python scripts/benchmark.py gpu device=cpu size=tiny"
        )
    if options.device == "cuda":
        # As Lightning sets it for the trainer's deterministic=warn, before cuBLAS is first used.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(1)  # as train.py has it
    bench = Bench(torch.device(options.device), tiny=options.size == "tiny")
    report = Report(options.out, about(bench, options))
    plans = [plan for section, plan in PLANS.items() if section in options.only]
    measurements = [measurement for plan in plans for measurement in plan(bench)]
    if not options.compile:
        measurements = [x for x in measurements if not x.last]
    measurements.sort(key=lambda x: x.last)
    measure_all(measurements, bench, report, 60 * options.minutes, console or Console())


def measure_all(
    measurements: Iterable[Measurement],
    bench: Bench,
    report: Report,
    seconds: float,
    console: Console,
) -> None:
    """Take measurements one after the other, and write the report after each.

    Args:
        measurements: in their order.
        bench: the device.
        report: gets a row of each, or the reason why there is none.
        seconds: that all of them may take. What would take longer, as far as one can guess, is
            skipped.
        console: shows what was measured.

    Raises:
        ValueError: some raised an error that is neither lack of memory nor of time.
    """
    begin = time.perf_counter()
    report.write()  # a place that cannot be written to is known before anything is measured
    for measurement in measurements:
        left = seconds - (time.perf_counter() - begin)
        outcome = _measure(measurement, left, bench, report)
        gpu_loader.compare(report)
        report.seconds = time.perf_counter() - begin
        report.write()
        line = f"{report.seconds:5.0f} s  {measurement.section}: {measurement.name}: {outcome}"
        console.print(line, markup=False, highlight=False)
        if outcome == LOST:
            break
    else:
        report.complete = True
    report.write()
    markdown, data = report.paths
    console.print(report.markdown(), markup=False, highlight=False, soft_wrap=True)
    console.print(f"written: {markdown} and {data}", highlight=False, soft_wrap=True)
    if report.failed:
        raise ValueError(
            f"{len(report.failed)} of the measurements failed, the others stand; {markdown} says "
            f"which and why. The first: {report.failed[0]['name']}: {report.failed[0]['reason']}"
        )


def about(bench: Bench, options: GpuOptions) -> dict[str, Any]:
    """What the figures may depend on: the device, versions, the commit, the command."""
    found = environment(bench.device)
    versions = found["versions"] | {"transformers": transformers.__version__}
    if bench.cuda:
        properties = torch.cuda.get_device_properties(bench.device)
        found["memory_gb"] = round(properties.total_memory / 1e9, 1)
        versions |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    given = [
        f" {option.name}={written(value)}"
        for option in fields(options)
        if (value := getattr(options, option.name)) != option.default
    ]
    return found | {
        "versions": versions,
        "commit": commit(),
        "command": "python scripts/benchmark.py gpu" + "".join(given),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "size": options.size,
    }


def _measure(measurement: Measurement, left: float, bench: Bench, report: Report) -> str:
    """Add a measurement's row to the report, or why there is none; return the outcome in a word."""
    guess = measurement.seconds / (20 if bench.tiny else 1)
    outcome, reason = "measured", ""
    if guess > left:
        reason = f"it takes about {guess:.0f} s, and {max(left, 0):.0f} s are left of minutes="
        outcome = "skipped"
    else:
        try:
            row = _quietly(measurement)
            report.sections.setdefault(measurement.section, []).append(row)
        except SkippedError as error:
            outcome, reason = "skipped", str(error)
        except OUT_OF_MEMORY as error:
            outcome, reason = "skipped", f"it does not fit into the memory: {_first_line(error)}"
        except Exception as error:  # whatever it is, the other figures are still wanted
            outcome, reason = "failed", f"{type(error).__name__}: {_first_line(error)}"
    try:
        bench.free()  # behind the handlers, whose traceback would keep the tensors alive
    except RuntimeError as error:
        outcome, reason = LOST, f"{LOST}, nothing after this was measured: {_first_line(error)}"
    if outcome != "measured":
        entry = {"section": measurement.section, "name": measurement.name, "reason": reason}
        (report.skipped if outcome == "skipped" else report.failed).append(entry)
    return outcome


def _quietly(measurement: Measurement) -> Row:
    """The row of a measurement, names first, without warnings of algorithms that vary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {**measurement.names, **measurement.run()}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
