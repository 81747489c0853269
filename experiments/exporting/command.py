"""What a user asks of `scripts/export.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.evaluation.places import one_run
from experiments.evaluation.terminal import sample_mark
from experiments.exporting.card import describe
from experiments.exporting.compare import SIZES, OnnxRuntime, largest_difference, latencies
from experiments.exporting.inputs import Inputs
from experiments.exporting.onnx_file import TRACED, check_packages, write_onnx
from experiments.files import replacing, usable_folder, write_json
from experiments.prediction.load import LoadedRun, load_run
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

KEYS = ("run", "format", "out", "rule", "trust")
FORMATS = ("onnx",)


@dataclass(frozen=True)
class Wanted:
    """A run as a file.

    Args:
        run: its folder.
        out: the file; one under results/exports if not given.
        rule: whose weights it has; the headline if not given.
        trust: build whatever classes the run's configuration names.
    """

    run: str
    out: Path | None
    rule: str | None
    trust: bool

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Wanted":
        """Read a command line.

        Raises:
            RunError: if a key or a value is none that it can have.
        """
        overrides = Overrides.typed(arguments, verbatim=("run", "out"))
        overrides.refuse_others(*KEYS)
        run = one_run(overrides)
        chosen = overrides.value("format", FORMATS[0])
        if chosen not in FORMATS:
            raise RunError(f"format={chosen}: no such format; there is {', '.join(FORMATS)}")
        out, rule = overrides.value("out"), overrides.value("rule")
        return cls(
            run=run,
            out=None if out is None else Path(str(out)),
            rule=None if rule is None else str(rule),
            trust=overrides.flag("trust"),
        )

    def export(self, console: Console) -> Path:
        """Write the file and what stands beside it, and say how it compares; return its path.

        Raises:
            RunError: if the run cannot be opened or exported, or something lies there already.
        """
        check_packages()
        if self.out is not None:
            check_place(self.out)
        run = load_run(self.run, rule=self.rule, trust=self.trust)
        path = self.out or default_file(run)
        check_place(path)
        network, inputs = run.network.cpu(), Inputs.of(run)
        with replacing(path) as beside:
            names = write_onnx(network, inputs.draw(TRACED), beside)
            runtime = OnnxRuntime(beside) if OnnxRuntime.installed() else None
            difference = None
            if runtime is not None:
                difference = largest_difference(network, runtime, inputs)
            measured = {
                "bytes": beside.stat().st_size,
                "parameters": sum(p.numel() for p in network.parameters()),
                "largest_difference": difference,
                "milliseconds": latencies(network, runtime, inputs),
            }
        write_json(card_of(path), describe(run, inputs, names, path, measured))
        show(run, measured, console)
        for file in (path, card_of(path)):
            console.print(str(file), style="bold", markup=False)
        return path


def card_of(path: Path) -> Path:
    """Return the file of JSON beside an exported one."""
    return path.with_suffix(".json")


def default_file(run: LoadedRun) -> Path:
    """Return where a run is exported to, unless somebody says where."""
    return Path("results/exports") / f"{run.label}.onnx"


def check_place(path: Path) -> None:
    """Refuse a place where something lies already, or where no file can be.

    Raises:
        RunError: says what to choose instead.
    """
    if path.is_dir():
        raise RunError(
            f"out={path}: expected a file, found a folder; add a name, {path}/model.onnx"
        )
    if path.suffix != ".onnx":
        raise RunError(f"out={path}: expected a name that ends in .onnx, such as {path}.onnx")
    for file in (path, card_of(path)):
        if file.exists():
            raise RunError(
                f"{file}: expected nothing there, found a file; choose another with out=, or "
                "move it away"
            )
    usable_folder(path.parent, "out")


def show(run: LoadedRun, measured: dict[str, Any], console: Console) -> None:
    """Print what was exported and how it compares, a line each."""
    m = run.reopened.run.metrics
    name = f"{m['fusion']} ({'+'.join(m['modalities'])}), fold {m['fold']}, seed {m['seed']}"
    milliseconds, difference = measured["milliseconds"], measured["largest_difference"]
    lines = [
        f"{name}, weights of {run.rule}{sample_mark(m['provenance'])}",
        f"size: {measured['bytes'] / 1e6:.1f} MB, {measured['parameters']:,} parameters",
        "latency of one sample on this CPU: "
        + ", ".join(f"{who} {value:.1f} ms" for who, value in milliseconds.items()),
    ]
    if difference is None:
        lines.append(
            "not compared, for onnxruntime is not installed: pip install -r requirements.txt"
        )
    else:
        sizes = f"{', '.join(map(str, SIZES[:-1]))} and {SIZES[-1]}"
        lines.append(
            f"largest difference of a score in onnxruntime: {difference:.1e}, in random batches of "
            f"{sizes} samples"
        )
    for line in lines:
        console.print(line, markup=False, highlight=False)
