"""What runs make of missing and corrupted modalities: `python scripts/robustness.py run=<...>`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Run finished networks on test data with a missing or corrupted modality.

  python scripts/robustness.py run=results/ravdess/sample
  python scripts/robustness.py run='[<folder or pattern>,<folder or pattern>]' raw=<raw folder>
  python scripts/robustness.py run=<folder> only=[audio.noise]
  python scripts/robustness.py run=<folder> corruptions.audio.noise.strengths=[30,5]

  run       folders above complete runs, or patterns; all of one task
  raw       the raw folder that the packed set was made from, where raw files are corrupted (the
            sample's is known)
  only      modalities or corruptions, such as [video,audio.noise]; all if not given
  rule      the reporting rule whose weights are run; the runs' headline if not given
  against   the experiment that the others are compared with; sum if it is there
  out       the folder; results/robustness if not given. Tables and plots of a choice by only= lie
            in a folder of that name
  trust     true: build whatever classes a run's config.yaml names

  configs/robustness/<task>.yaml says which corruptions there are, and how strong. For MSAF runs the
  attention on the corrupted modality is shown beside. Interrupted, the same command continues.
"""


def main(arguments: list[str]) -> int:
    """Measure, write tables and plots; return the exit status."""
    # Imported here because torch takes seconds, and `--help` should not.
    import hydra

    from experiments.console import console
    from experiments.figures.robustness import draw_robustness
    from experiments.robustness.study import Study
    from experiments.robustness.write import write_robustness
    from experiments.runs.overrides import Overrides

    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        study = Study.of(Overrides.typed(arguments, verbatim=("run", "raw", "out")))
        found = study.measure(console)
    for text in found.left_out:
        console.print(f"left out: {text}", markup=False)
    for path in [*write_robustness(found, study.results), *draw_robustness(found, study.results)]:
        console.print(str(path), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP, after_interrupt="the same command continues where it was")
