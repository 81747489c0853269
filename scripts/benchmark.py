"""Measure how fast a part of the project is: `python scripts/benchmark.py module threads=[1]`."""

import sys
from difflib import get_close_matches
from pathlib import Path
from pkgutil import resolve_name

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.console import explain
from experiments.script import run_script
from scripts.benchmarks.options import describe, read, summary, unknown_name
from scripts.benchmarks.registry import BENCHMARKS, Options

HELP = """Measure how fast a part of the project is.

  python scripts/benchmark.py <benchmark> <option>=<value> ...
  python scripts/benchmark.py module threads=[1] compile=true
  python scripts/benchmark.py module --help

{benchmarks}
"""


def show_help(arguments: list[str]) -> str:
    """Return the help of the benchmark that the command line names, or the list of them all."""
    name = next((text for text in arguments if not text.startswith("-")), None)
    if name is None:
        width = max(map(len, BENCHMARKS))
        lines = [f"  {name:<{width}}  {summary(kind)}" for name, kind in BENCHMARKS.items()]
        return HELP.format(benchmarks="\n".join(lines))
    kind = find(name)
    usage = f"  python scripts/benchmark.py {name} <option>=<value> ..."
    parts = [summary(kind), usage, describe(kind)]
    if kind.for_training:
        parts.append(f"  Every other override goes to train.py:\n  {kind.for_training}.")
    return "\n\n".join(parts) + "\n"


def find(name: str) -> type[Options]:
    """Return the options of a benchmark.

    Raises:
        ValueError: if there is no such benchmark; it says which there are.
    """
    if name not in BENCHMARKS:
        raise ValueError(unknown_name(name, "benchmark", BENCHMARKS))
    return BENCHMARKS[name]


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names; return the exit status."""
    name, *texts = arguments
    kind = find(name)
    # Imported here because Hydra and the benchmarks take seconds, and `--help` should not.
    from hydra.errors import ConfigCompositionException

    from experiments.runs.overrides import Overrides

    for text in texts:
        if text.startswith("-") or not ("=" in text or text.startswith("~")):
            raise ValueError(f"{text}: expected <option>=<value>, without dashes")
    options, overrides = read(name, kind, Overrides(texts))
    run = resolve_name(f"scripts.benchmarks.{name}:run")
    try:
        run(options, overrides) if kind.for_training else run(options)
    except ConfigCompositionException as error:
        own = get_close_matches(str(getattr(error.__cause__, "full_key", "")), vars(options), n=1)
        if not own:
            raise
        raise ValueError(f"{explain(error)}. An option of {name} is {own[0]}") from error
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: show_help(sys.argv[1:]))
