"""Measure how fast a part of the project is: `python scripts/benchmark.py module --threads 1 2`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.benchmarks import csd, epoch, fusions, loader, module, ntu

# a further command is one file and one word here
COMMANDS = {
    "module": module,
    "fusions": fusions,
    "loader": loader,
    "epoch": epoch,
    "csd": csd,
    "ntu": ntu,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen subcommand."""
    parser = ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in COMMANDS.items():
        summary = (command.__doc__ or "").split("\n")[0]
        subparser = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


if __name__ == "__main__":
    main()
