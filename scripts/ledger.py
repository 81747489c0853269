"""Write the ledger of what has been reproduced: `python scripts/ledger.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

ROOT = Path(__file__).resolve().parent.parent
HELP = """Write docs/reproduction.md: each cell of the paper's tables and figures, and how far it is
reproduced, from configs/table, configs/ledger.yaml and docs/results.

  python scripts/ledger.py
  python scripts/ledger.py out=<page.md>

  out    the page; docs/reproduction.md if not given. Its links are right in docs alone.
"""


def main(arguments: list[str]) -> int:
    """Write the page; return the exit status."""
    # Imported here because Lightning takes seconds, and `--help` should not.
    from experiments.console import console
    from experiments.files import write_text
    from experiments.runs.overrides import Overrides
    from experiments.tables.ledger import ledger

    overrides = Overrides.typed(arguments, verbatim=("out",))
    overrides.refuse_others("out")
    out = Path(str(overrides.value("out", ROOT / "docs" / "reproduction.md")))
    write_text(out, ledger(ROOT / "configs", ROOT / "docs" / "results"))
    console.print(str(out), style="bold", markup=False)
    return 0


if __name__ == "__main__":
    run_script(main, help=lambda: HELP, bare=True)
