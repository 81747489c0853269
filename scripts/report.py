"""Write one page that shows all results: `python scripts/report.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Write one HTML page that shows all that lies below a folder of results: what was run,
tables, reporting rules, errors, learning curves, confusion matrices, figures, robustness,
parameters and FLOPs, deviations, provenance, and the commands that make it again.

  python scripts/report.py
  python scripts/report.py in=results/ravdess out=report.html

  in    the folder; results if not given
  out   the page; report.html in that folder if not given

The page needs no network and no other file. Runs that are half-written, unreadable or contradict
each other are named on it with the reason, and count in no figure.
"""


def main(arguments: list[str]) -> int:
    """Write the page; return the exit status."""
    # Imported here because matplotlib takes a second, and `--help` should not.
    import hydra

    from experiments.console import console
    from experiments.figures.report.page import write_report

    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        written = write_report(arguments)
    console.print(f"{written.runs} runs shown, {written.left_out} files or folders left out")
    console.print(str(written.page), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP, bare=True)
