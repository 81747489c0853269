"""Reproduce a table of the paper: `python scripts/reproduce.py table=1`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HELP = """Reproduce a table of the paper: run what is missing, then write the table.

  python scripts/reproduce.py table=1
  python scripts/reproduce.py table=1 dry_run=true
  python scripts/reproduce.py table=1 seeds=[1,2,3] data=full data.root=<packed folder>
  python scripts/reproduce.py table=1 hydra/launcher=joblib hydra.launcher.n_jobs=2

  table      {tables}
  seeds      seeds of every row, such as [1,2,3]; the table's own if not given
  folds      folds of every row, such as [0]; the table's own if not given
  dry_run    true: list the runs and which of them are complete, and stop
  out        folder of the table; `results` if not given

  Every other word goes to train.py as it is: data=, protocol=, epochs=, and any value.
  Complete runs are skipped, interrupted ones continued; a run that fails is reported, and the
  others go on. The table is written as md, csv, tex and json.
"""
OWN = ("table", "seeds", "folds", "dry_run", "out")


def main(arguments: list[str]) -> int:
    """Run what is missing and write the table; return the exit status."""
    if not arguments or {"--help", "-h"} & set(arguments):
        tables = sorted(path.stem for path in (ROOT / "configs" / "table").glob("*.yaml"))
        print(HELP.format(tables=", ".join(tables)))
        return 0 if arguments else 2
    from experiments.console import command, readable_errors

    with command(after_interrupt="the same command goes on"), readable_errors():
        # Imported here because Lightning takes seconds, and `--help` should not.
        from experiments.tables.reproduce import reproduce

        own = [word for word in arguments if word.partition("=")[0] in OWN]
        return reproduce(ROOT / "configs", own, [word for word in arguments if word not in own])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
