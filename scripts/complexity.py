"""Parameters and FLOPs at the paper's size: `python scripts/complexity.py fusion=msaf`."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HELP = """Count parameters and FLOPs of a network at the paper's size, part by part.

  python scripts/complexity.py task=ravdess fusion=msaf
  python scripts/complexity.py fusion=none modalities=[video] json=true

  json    true: print JSON, for machines

  Every other word goes to the configuration of train.py. Nothing is allocated. A FLOP is one
  multiplication or one addition of a product: two a multiply-add, for one sample."""


def main(arguments: list[str]) -> int:
    """Print the counts of the configuration that the words name; return the exit status."""
    if {"--help", "-h"} & set(arguments):
        print(HELP)
        return 0
    from experiments.console import command, console, readable_errors

    with command(), readable_errors():
        import hydra

        from experiments.evaluation.terminal import complexity_table
        from experiments.runs.complexity import paper_size_flops, paper_size_parameters

        words = [word for word in arguments if not word.startswith("json=")]
        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            parameters, flops = paper_size_parameters(words), paper_size_flops(words)
        if "json=true" in arguments:
            print(json.dumps({"parameters": parameters, "flops": flops}))
        else:
            console.print(complexity_table(parameters, flops))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
