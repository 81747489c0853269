"""Progress of a table, with the time left; plain lines where there is no terminal."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def counting_runs(done: Callable[[], int], total: int, console: Console) -> Iterator[None]:
    """Show how many runs of a table are complete and the time left, whoever completes them.

    Args:
        done: counts the complete runs; it is called every second.
        total: how many there will be.
        console: where to write; with no terminal behind it, a line for each change.
    """
    columns = (BarColumn(bar_width=16), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    bar = Progress(TextColumn("runs"), *columns, console=console, disable=not console.is_terminal)
    before, started, stop = done(), time.perf_counter(), threading.Event()
    task = bar.add_task("runs", total=total, completed=before, left="")

    def watch() -> None:
        last, ended = before, False
        while not ended:
            ended = stop.wait(1.0)
            now = done()
            left = time_left(time.perf_counter() - started, now - before, total - now)
            bar.update(task, completed=now, left=left)
            if now != last and not console.is_terminal:
                console.print(f"{now} of {total} runs complete{left and ', ' + left}")
            last = now

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with bar:
            yield
    finally:
        stop.set()
        watcher.join()


def time_left(seconds: float, done: int, left: int) -> str:
    """Say how long the rest takes at the pace so far; nothing if none is done, or none left."""
    if not done or not left:
        return ""
    return f"about {timedelta(seconds=round(seconds / done * left))} left"
