"""SIGTERM, as clusters send it: the end that Ctrl-C makes, with an exit status of its own."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 128 + signal.SIGTERM  # 143, as a shell has it


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived. Whatever cleans up after Ctrl-C cleans up after it too."""


def _raise(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough: the rest is cleaning up
    raise TerminatedError


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Raise `TerminatedError` where SIGTERM arrives, instead of ending without a word."""
    if threading.current_thread() is not threading.main_thread():  # it alone may handle signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
