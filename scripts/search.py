"""Search a fusion architecture: `python scripts/search.py task=ntu fusion=mfas`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HELP = """Search the architecture of a fusion over trained branches (MFAS).

  python scripts/search.py task=ntu fusion=mfas rgb=inflated_resnet50
  python scripts/search.py task=ntu fusion=mfas fusion.search.samples=8 fusion.search.iterations=1

  Every word goes to the configuration of train.py; those of the search are fusion.search.<word>.
  Missing unimodal runs are trained first. Candidates are compared on the validation part; the best
  are printed as words for train.py, and all are written to search.json beside the fusion's runs."""


def main(arguments: list[str]) -> int:
    """Search, and print the best architectures; return the exit status."""
    if not arguments or {"--help", "-h"} & set(arguments):
        print(HELP)
        return 0 if arguments else 2
    from experiments.console import command, console, readable_errors

    with command(), readable_errors():
        # Imported here because Lightning takes seconds, and `--help` should not.
        import hydra

        from experiments.search import search

        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            console.print(str(search(arguments, console)), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
