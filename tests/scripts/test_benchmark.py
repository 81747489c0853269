"""The command reads a benchmark's options from overrides, and refuses what it cannot mean."""

import subprocess
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from pkgutil import resolve_name
from typing import ClassVar

import pytest

from experiments.runs.overrides import Overrides
from scripts import benchmark
from scripts.benchmarks import options
from scripts.benchmarks.registry import BENCHMARKS, Options

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numpy", "pytorch_lightning", "cv2", "rich.table", "experiments.runs")


@dataclass(frozen=True)
class Some(Options):
    """An option of every type."""

    count: int = field(default=3, metadata={"help": "how many"})
    share: float = field(default=0.5, metadata={"help": "how much"})
    fast: bool = field(default=False, metadata={"help": "whether"})
    name: str = field(default="", metadata={"help": "who"})
    way: str = field(default="up", metadata={"help": "where to", "choices": ("up", "down")})
    threads: tuple[int, ...] = field(default=(1, 2), metadata={"help": "how many each"})
    size: tuple[int, int] = field(default=(4, 3), metadata={"help": "width and height"})
    cases: tuple[str, ...] = field(
        default=("A 1",), metadata={"help": "which", "choices": ("A 1", "B")}
    )


@dataclass(frozen=True)
class Training(Some):
    """The same, with overrides of train.py."""

    for_training: ClassVar[str] = "any"


def read(*texts: str) -> Some:
    return options.read("some", Some, Overrides(texts))[0]


def test_values_have_the_types_of_their_options() -> None:
    texts = ("count=5", "share=2", "fast=true", "name=a b", "way=down", "threads=[1]")
    found = read(*texts, "size=[64,48]", "cases=[A 1,B]", "count=6")
    assert found == Some(6, 2.0, True, "a b", "down", (1,), (64, 48), ("A 1", "B"))
    assert type(found.share) is float
    assert read() == Some()


@pytest.mark.parametrize(
    "text, message",
    [
        ("count=many", "count=many: expected a whole number of at least 1, found many"),
        ("count=0", "count=0: expected a whole number of at least 1, found 0"),
        ("count=true", "count=true: expected a whole number of at least 1, found true"),
        ("count=2.5", "expected a whole number of at least 1, found 2.5"),
        ("count=[1]", "expected a whole number of at least 1, found [1]"),
        ("count=null", "expected a whole number of at least 1, found null"),
        ("count=", "count=: expected a whole number of at least 1, found nothing"),
        ("count=1,2", "count=1,2: expected one value"),
        ("share=-1", "share=-1: expected a number above 0, found -1"),
        ("share=inf", "expected a number above 0, found inf"),
        ("fast=1", "fast=1: expected true or false, found 1"),
        ("name=2024", "expected a text, found 2024, which as a text is name='\"2024\"'"),
        ("way=left", "way=left: expected one of up, down, found left"),
        ("threads=1", "expected a list of whole numbers of at least 1, as in threads=[1,2], found"),
        ("threads=[]", "as in threads=[1,2], found []"),
        ("threads=[1,x]", "as in threads=[1,2], found [1,x]"),
        ("size=[1,2,3]", "as in size=[4,3], found [1,2,3]"),
        ("cases=[A 1,C]", "cases=[A 1,C]: expected a list of some of A 1, B, found [A 1,C]"),
        ("cuont=3", "cuont: no such option of some, did you mean count? There are count, share"),
        ("zzz=3", "zzz: no such option of some. There are count, share"),
        ("count.x=3", "count.x: no such option of some, did you mean count?"),
    ],
)
def test_a_wrong_override_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read("fast=true", text)
    assert message in str(caught.value)


def test_other_overrides_are_handed_on_where_they_are_taken() -> None:
    overrides = Overrides(["task=ntu", "count=4", "data.root=x"])
    found, rest = options.read("some", Training, overrides)
    assert found.count == 4
    assert list(rest) == ["task=ntu", "data.root=x"]
    with pytest.raises(ValueError, match=r"count\.x: no such option"):
        options.read("some", Training, Overrides(["task=ntu", "count.x=4"]))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_describes_all_its_options(name: str) -> None:
    shown = benchmark.show_help([name, "--help"])
    for option in fields(BENCHMARKS[name]):
        assert f"\n  {option.name} " in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert options.summary(BENCHMARKS[name]) in benchmark.show_help(["--help"])
    assert callable(resolve_name(f"scripts.benchmarks.{name}:run"))


def test_help_says_choices_and_defaults() -> None:
    lines = options.describe(Some).splitlines()
    assert lines[0] == "  count    how many; 3 if not given"
    assert lines[3] == "  name     who"
    assert lines[4] == "  way      where to; one of up, down; up if not given"
    assert lines[7] == "  cases    which; a list of some of A 1, B; [A 1] if not given"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from scripts import benchmark as b; b.show_help([]); b.show_help(['module']);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["modul"], ["modul", "rounds=3"], ["modul", "--help"]])
def test_an_unknown_benchmark_ends_in_one_line(arguments: list[str]) -> None:
    command = [sys.executable, "scripts/benchmark.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "error: modul: no such benchmark, did you mean module? "
        "There are module, fusions, loader, epoch, csd, ntu, commands, gpu\n"
    )


@pytest.mark.parametrize("text", ["--threads", "--threads=1", "threads"])
def test_what_is_no_override_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text}: expected <option>=<value>, without dashes"):
        benchmark.main(["module", text])
