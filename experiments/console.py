"""What the user sees: one console, and errors as sentences instead of tracebacks."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(soft_wrap=True)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn errors that a user can put right into one message, and silence foreign chatter.

    `HYDRA_FULL_ERROR=1` shows the traceback as well.
    """
    quieten()
    try:
        yield
    except (ValueError, OSError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        console.print(f"[bold red]error:[/] {error}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted: the same command goes on from the last complete epoch")
        sys.exit(130)


def quieten() -> None:
    """Silence Lightning's hints: they are about choices that this project has made."""
    import logging

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
