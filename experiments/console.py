"""What the user sees: one console, and errors as sentences instead of tracebacks."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException
from rich.console import Console

from experiments.signals import TERMINATED, TerminatedError, sigterm_as_interrupt

# Of the processes that train one network together, one speaks for all.
rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))
# No markup: names of classes, fusions and folders come from files, and may hold square brackets.
console = Console(soft_wrap=True, markup=False, quiet=rank != "0")
complaints = Console(soft_wrap=True, markup=False, stderr=True)

TRACEBACKS = "HYDRA_FULL_ERROR"  # set to 1 by a user who wants to see where an error comes from


class ReportedError(Exception):
    """An error that the user has been told of already."""


@contextmanager
def command(*, after_interrupt: str = "") -> Iterator[None]:
    """Wrap a whole command: a wrong override, Ctrl-C and SIGTERM end it with one line each.

    Args:
        after_interrupt: what the user may do after Ctrl-C or SIGTERM.
    """
    wanted = os.environ.get(TRACEBACKS)
    os.environ[TRACEBACKS] = "1"  # makes Hydra pass errors on, instead of printing them itself
    try:
        with sigterm_as_interrupt():
            yield
    except ReportedError:
        sys.exit(1)
    except (HydraException, OmegaConfBaseException) as error:
        if wanted == "1":
            raise
        complain(explain(error))
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning turns a KeyboardInterrupt into an exit of its own.
        causes = [e for e in (error, error.__context__) if isinstance(e, KeyboardInterrupt)]
        if not causes:
            raise
        terminated = any(isinstance(cause, TerminatedError) for cause in causes)
        what = "terminated" if terminated else "interrupted"
        complaints.print(what + (f": {after_interrupt}" if after_interrupt else ""))
        sys.exit(TERMINATED if terminated else 130)
    finally:
        os.environ.pop(TRACEBACKS)
        if wanted is not None:
            os.environ[TRACEBACKS] = wanted


@contextmanager
def readable_errors(*, go_on: bool = False) -> Iterator[None]:
    """Turn errors that a user can put right into one message, and silence foreign chatter.

    Args:
        go_on: leave it to a sweep to start the other jobs, and to `command` to end it with an
            error; otherwise end here.
    """
    quieten()
    try:
        yield
    except (ValueError, OSError, InstantiationException) as error:
        complain(explain(error))
        if go_on:
            raise ReportedError(str(error)) from error
        sys.exit(1)


def complain(message: str) -> None:
    """Show an error message; square brackets in it are not taken for markup."""
    complaints.print("error:", style="bold red", end=" ")
    complaints.print(message, markup=False, highlight=False)


def explain(error: Exception) -> str:
    """Say in one sentence which override of a command line is wrong, and which keys there are."""
    cause = error.__cause__ or error
    if isinstance(error, InstantiationException):  # "Error in call to target 'a.B':", what, where
        target, _, place = (*str(error).splitlines(), "", "")[:3]
        place = place.removeprefix("full_key: ") or "a class"
        named = target.rpartition("target ")[2].rstrip(":")
        return f"{place}: {named} does not take its settings ({type(cause).__name__}: {cause})"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, InterpolationResolutionError):  # what a resolver says, `pick` above all
        return str(error).splitlines()[0].rpartition("while resolving interpolation: ")[2]
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={name}: no such {group}; there are {', '.join(error.options)}"
    parent = getattr(cause, "parent_node", None)
    if isinstance(cause, OmegaConfBaseException) and isinstance(parent, DictConfig):
        keys = sorted(str(key) for key in parent if key != "hydra")
        close = get_close_matches(str(cause.key), keys, n=1)
        if not keys and "." in str(cause.full_key):
            group = str(cause.full_key).rpartition(".")[0]
            return (
                f"{cause.full_key}: no such key, for {group} has no settings as it is; choose "
                f"another {group} first, as --help lists them"
            )
        guess = f", did you mean {close[0]}?" if close else ""
        there = f" There are {', '.join(keys)}" if keys else ""
        return f"{cause.full_key}: no such key{guess or '.'}{there}"
    if isinstance(error, OverrideParseException):
        key, sign, value = str(error.override).partition("=")
        quoted = f"; where the value is a path or a text, quote it twice: '{key}=\"{value}\"'"
        return f"{error.override}: {error.message.splitlines()[0]}" + (quoted if sign else "")
    return str(error)


def quieten() -> None:
    """Silence Lightning's hints: they are about choices that this project has made."""
    import logging

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
