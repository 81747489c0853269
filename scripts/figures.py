"""Draw a figure of the paper: `python scripts/figures.py figure=5`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Draw a figure of the paper, as PNG, SVG and PDF, with its numbers as CSV beside.

  python scripts/figures.py figure=5
  python scripts/figures.py figure=5 fusions=[msaf,mmtm,gmu]

  figure    5: parameters and FLOPs of MSAF and MMTM over the number of channels
  fusions   the fusions to show; [msaf,mmtm], the paper's, if not given
  out       the folder; results/figures if not given
"""


def main(arguments: list[str]) -> int:
    """Draw the figure that the overrides name; return the exit status."""
    # Imported here because torch takes seconds, and `--help` should not.
    import hydra

    from experiments.console import console
    from experiments.figures.wish import Wish

    wish = Wish.of(arguments)
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for path in wish.draw():
            console.print(str(path), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP)
