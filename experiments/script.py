"""The frame of a command that reads its overrides by itself, without Hydra's decorator."""

import sys
from collections.abc import Callable
from typing import NoReturn


def run_script(
    main: Callable[[list[str]], int],
    *,
    help: Callable[[], str],
    bare: bool = False,
    after_interrupt: str = "",
) -> NoReturn:
    """Run a command that reads its overrides by itself, and exit with its status.

    Args:
        main: takes the command line, returns the exit status.
        help: returns what `--help` prints.
        bare: the command makes sense without any override; else it prints its help then.
        after_interrupt: what the user may do after Ctrl-C.
    """
    arguments = sys.argv[1:]
    if {"--help", "-h"} & set(arguments) or not (arguments or bare):
        try:
            print(help())
        except ValueError as error:  # there is nothing of that name to describe
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        sys.exit(0 if arguments else 2)
    # Imported here because it takes Hydra along, and `--help` should be there at once.
    from experiments.console import command, readable_errors

    with command(after_interrupt=after_interrupt), readable_errors():
        status = main(arguments)
    sys.exit(status)
