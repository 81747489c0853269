"""Parameters and FLOPs at the paper's size: `python scripts/complexity.py fusion=msaf`."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Count parameters and FLOPs of a network at the paper's size, part by part.

  python scripts/complexity.py task=ravdess fusion=msaf
  python scripts/complexity.py fusion=none modalities=[video] json=true

  json    true: print JSON, for machines

  Every other override goes to the configuration of train.py. Nothing is allocated. A FLOP is one
  multiplication or one addition of a product: two a multiply-add, for one sample."""


def main(arguments: list[str]) -> int:
    """Print the counts of the configuration that the overrides name; return the exit status."""
    import hydra

    from experiments.console import console
    from experiments.evaluation.terminal import complexity_table
    from experiments.runs.complexity import paper_size_flops, paper_size_parameters
    from experiments.runs.overrides import Overrides

    overrides = Overrides(arguments)
    own, network = overrides.only("json"), overrides.without("json")
    if own.value("json", False) not in (True, False):
        raise ValueError(f"{own}: choose true or false")
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        parameters, flops = paper_size_parameters(network), paper_size_flops(network)
    if own.value("json", False):
        print(json.dumps({"parameters": parameters, "flops": flops}))
    else:
        console.print(complexity_table(parameters, flops))
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP, bare=True)
