"""Write a finished run for other programs: `python scripts/export.py run=<folder> format=onnx`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

HELP = """Write the network of a finished run as a file that other programs can run.

  python scripts/export.py run=<run folder> format=onnx
  python scripts/export.py run=<run folder> format=onnx out=model.onnx

  run       the folder of one run; its data set need not be there
  format    onnx, for batches of any size; the default
  out       the file, which must not be there yet; one under results/exports if not given
  rule      the reporting rule whose weights are written; the run's headline if not given
  trust     true: build whatever classes the run's config.yaml names

Beside the file lies a .json of the same name: the inputs and how they were preprocessed, the names
of the classes, and what was measured. Where onnxruntime is installed the file is compared with the
network, to 1e-4, and nothing is written if they differ by more.
"""


def main(arguments: list[str]) -> int:
    """Export the run that the overrides name; return the exit status."""
    # Imported here because torch takes seconds, and `--help` should not.
    from experiments.console import console
    from experiments.exporting.command import Wanted

    Wanted.of(arguments).export(console)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP)
