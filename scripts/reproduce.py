"""Reproduce a table of the paper: `python scripts/reproduce.py table=1`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Reproduce a table of the paper: run what is missing, then write the table.

  python scripts/reproduce.py table=1
  python scripts/reproduce.py table=1 dry_run=true
  python scripts/reproduce.py table=1 seeds=[1,2,3] data=full data.root=<packed folder>
  python scripts/reproduce.py table=1 hydra/launcher=joblib hydra.launcher.n_jobs=2

  table      {tables}
  seeds      seeds of every row, such as [1,2,3]; the table's own if not given
  folds      folds of every row, such as [0]; the table's own if not given
  recorded   a written table's json, or a list: its runs of the same hash are not made again
  dry_run    true: list the runs and which of them are complete, and stop
  out        folder of the table; `results` if not given

  Every other override goes to train.py as it is: data=, protocol=, epochs=, and any value.
  Complete runs are skipped, interrupted ones continued; a run that fails is reported, and the
  others go on. rerun=true makes those runs again that other sources made, and says which with
  dry_run=true. The table is written as md, csv, tex and json.
"""


def show_help() -> str:
    """Return the help with the tables that there are."""
    tables = sorted(path.stem for path in (CONFIGS / "table").glob("*.yaml"))
    return HELP.format(tables=", ".join(tables))


def main(arguments: list[str]) -> int:
    """Run what is missing and write the table; return the exit status."""
    # Imported here because Lightning takes seconds, and `--help` should not.
    from experiments.runs.overrides import Overrides
    from experiments.tables.reproduce import reproduce

    return reproduce(CONFIGS, Overrides(arguments))


if __name__ == "__main__":
    run_script(main, help=show_help, after_interrupt="the same command goes on")
