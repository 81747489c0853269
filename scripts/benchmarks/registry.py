"""Which benchmarks there are, and the options of each.

They stand here and not beside the benchmarks because `--help` shows them in an instant, and a
benchmark imports torch. A further benchmark is one class here and one file with
`run(options)`, or `run(options, overrides)` where the class says so.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from scripts.benchmarks.cases import CASES

CASE_NAMES = tuple(case.name for case in CASES)
CONTROLS, LATE = ("sum", "uniform"), ("average", "multiply", "multiplicative")
FUSIONS = (*CONTROLS, *LATE, "concat", "mcbp", "embracenet", "mmtm")
GPU_SECTIONS = ("steps", "shares", "augmentation", "module", "text", "loader")


@dataclass(frozen=True)
class Options:
    """The options of one benchmark; the first line of a docstring is the benchmark's summary.

    A field's metadata holds its `help`, and its `choices` where not every value will do.
    """

    for_training: ClassVar[str] = ""
    """What the help says of overrides of train.py; empty where a benchmark takes none."""


@dataclass(frozen=True)
class ModuleOptions(Options):
    """The fusion module beside plain formulations of its equations, and the memory's speed."""

    threads: tuple[int, ...] = field(
        default=(1, 2), metadata={"help": "numbers of threads, with a table for each"}
    )
    rounds: int = field(default=51, metadata={"help": "rounds, of which the median is taken"})
    compile: bool = field(
        default=False, metadata={"help": "true: measure torch.compile as well, which takes minutes"}
    )
    cases: tuple[str, ...] = field(
        default=CASE_NAMES, metadata={"help": "places of the paper", "choices": CASE_NAMES}
    )
    target: str = field(default="msaf.MSAF", metadata={"help": "class that is measured"})


@dataclass(frozen=True)
class FusionsOptions(Options):
    """Every fusion beside MSAF at the paper's shapes: time, parameters, FLOPs and memory."""

    for_training: ClassVar[str] = (
        "modalities=[audio,video], for example; the sizes are always the paper's"
    )

    fusions: tuple[str, ...] = field(
        default=FUSIONS, metadata={"help": "fusions to measure beside MSAF"}
    )
    batch: int = field(default=4, metadata={"help": "samples in a batch"})
    threads: int = field(default=1, metadata={"help": "number of threads"})
    rounds: int = field(default=51, metadata={"help": "rounds, of which the median is taken"})


@dataclass(frozen=True)
class LoaderOptions(Options):
    """The video loader beside JPEG files with a crop a frame: clips per second and core."""

    clips: int = field(default=16, metadata={"help": "clips of the rendered set"})
    frames: int = field(default=30, metadata={"help": "frames of a clip"})
    size: int = field(default=224, metadata={"help": "height and width of a frame"})
    rounds: int = field(default=15, metadata={"help": "rounds, of which the median is taken"})


@dataclass(frozen=True)
class EpochOptions(Options):
    """A training epoch of the text LSTM beside a plain PyTorch loop over the same network."""

    for_training: ClassVar[str] = "data=full data.root=<packed folder>, for example"

    batches: int = field(default=100, metadata={"help": "training batches of an epoch"})
    rounds: int = field(default=9, metadata={"help": "epochs, of which the median is taken"})


@dataclass(frozen=True)
class CsdOptions(Options):
    """The `.csd` reader beside plain h5py on the same bytes: MB a second, and the most memory."""

    gigabytes: float = field(default=2.0, metadata={"help": "size of the file"})
    folder: str = field(
        default="", metadata={"help": "where the file is written; a temporary folder if not given"}
    )
    rounds: int = field(default=3, metadata={"help": "rounds, of which the median is taken"})


@dataclass(frozen=True)
class NtuOptions(Options):
    """NTU RGB+D files: skeletons beside a plain line-by-line reader, video beside decoding."""

    frames: int = field(default=90, metadata={"help": "frames of the video"})
    picture: tuple[int, int] = field(
        default=(1920, 1080), metadata={"help": "width and height of a frame"}
    )
    rounds: int = field(default=5, metadata={"help": "rounds, of which the median is taken"})


@dataclass(frozen=True)
class CommandsOptions(Options):
    """What a user waits for: processor seconds of whole commands that plan and read."""

    run: str = field(
        default="",
        metadata={"help": "a complete run, for evaluate.py; left out without it"},
    )
    against: str = field(
        default="", metadata={"help": "another checkout, measured in turn with this one"}
    )
    tables: tuple[int, ...] = field(
        default=(1, 3), metadata={"help": "tables to plan, by their numbers"}
    )
    rounds: int = field(default=3, metadata={"help": "rounds, of which the median is taken"})


@dataclass(frozen=True)
class GpuOptions(Options):
    """The paper's work on a GPU: training steps, augmentation, the module, text and the loader."""

    device: str = field(
        default="cuda", metadata={"help": "what is measured", "choices": ("cuda", "cpu")}
    )
    size: str = field(
        default="paper",
        metadata={"help": "of networks and data; tiny is for trying", "choices": ("paper", "tiny")},
    )
    minutes: float = field(
        default=8.0, metadata={"help": "time for all of it; what no longer fits is skipped"}
    )
    only: tuple[str, ...] = field(
        default=GPU_SECTIONS, metadata={"help": "what to measure", "choices": GPU_SECTIONS}
    )
    compile: bool = field(
        default=True, metadata={"help": "false: leave out torch.compile, which takes minutes"}
    )
    out: str = field(
        default="results/benchmarks/gpu",
        metadata={"help": "the report's files, to which .md and .json are added"},
    )


BENCHMARKS: dict[str, type[Options]] = {
    "module": ModuleOptions,
    "fusions": FusionsOptions,
    "loader": LoaderOptions,
    "epoch": EpochOptions,
    "csd": CsdOptions,
    "ntu": NtuOptions,
    "commands": CommandsOptions,
    "gpu": GpuOptions,
}
