"""Draw a figure: `python scripts/figures.py figure=6 run=<folder>`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Draw a figure, as PNG, SVG and PDF, with its numbers as CSV beside.

  python scripts/figures.py figure=5
  python scripts/figures.py figure=5 fusions=[msaf,mmtm,gmu]
  python scripts/figures.py figure=6 run=results/ravdess/sample/msaf
  python scripts/figures.py figure=7 run='results/ravdess/sample/msaf/*/fold*' rule=paper_rule
  python scripts/figures.py figure=curves run=[<folder>,<folder>]

  figure    5            parameters and FLOPs of MSAF and MMTM over the number of channels
            6            attention by class (by rounded label of a regression), summed by modality
            7            attention of each block, the first module above the last
            segments     share of each modality over the segments of a sequence (MOSEI)
            samples      share of each modality sample by sample
            replacement  accuracy and attention where a modality is another recording's (UTD-MHAD)
            curves       learning curves of one or several experiments
  run       all but 5: a run folder, a folder above the folds and seeds of one experiment, a pattern
            with * or **, or a list of them; replacement and curves take several experiments.
            Attention needs runs of fusion=msaf, their checkpoints and their data set
  rule      of runs: the reporting rule whose weights attend, or whose epochs are marked; the
            headline if not given
  trust     where attention is shown: true builds whatever classes the runs' config.yaml names
  fusions   5: the fusions to show; [msaf,mmtm], the paper's, if not given
  out       the folder; results/figures if not given

  Several runs: the mean with its standard error over the folds, the seeds of each averaged before;
  over the seeds if there is one fold. A run that is incomplete, or cannot be opened again, is left
  out, and a line names it.
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
