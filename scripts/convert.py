"""Turn a released checkpoint into a run: `python scripts/convert.py in=<file> out=<folder>`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Turn a checkpoint that the paper's authors released into a run folder.

  python scripts/convert.py in=fold_1_msaf_ravdess_best.pth out=results/released/ravdess/fold0
  python scripts/convert.py in=<file> out=<folder> fold=0
  python evaluate.py run=<folder> data.root=<data set packed with protocol=released>

  in      the file: a fused network of RAVDESS, CMU-MOSEI or NTU RGB+D, or one of their networks of
          one modality; which one it is, is read from the names of its tensors
  out     the run folder; it must not be there yet, or be empty
  task    ravdess, mosei or ntu: refuse a file of another task
  fold    of RAVDESS, where the name of the file does not say it as fold_1 to fold_6, which are
          fold=0 to fold=5; cs, the default, or cv of NTU RGB+D

  The run has weights and no figures: evaluate.py measures them. No file runs code, and a file that
  is not exactly one of these networks is refused.
"""


def main(arguments: list[str]) -> int:
    """Convert the file that the overrides name; return the exit status."""
    # Imported here because torch takes seconds, and `--help` should not.
    import hydra

    from experiments.console import console
    from experiments.conversion.convert import convert
    from experiments.runs.overrides import Overrides

    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        done = convert(Overrides.typed(arguments, verbatim=("in", "out")))
    metrics, path = done.metrics, done.folder.path
    console.print(
        f"{done.released.title}: {done.tensors} tensors, "
        f"{metrics['parameters']['total']:,} parameters, fold {metrics['fold']}",
        markup=False,
    )
    console.print(
        f"no figures yet: python evaluate.py run={path} data.root=<packed data set>", markup=False
    )
    console.print(str(path), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP)
