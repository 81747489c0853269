"""Rendering the raw files of a sample: once, into a folder that is whole or not there."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from datamodules.packed.errors import DataError
from datamodules.packed.source import RENDERED
from datamodules.packed.workers import cores, progress, worker_pool


def render_once(
    raw: Path, description: Mapping[str, object], render: Callable[[Path], object]
) -> None:
    """Render a folder, unless that very rendering is there.

    Args:
        raw: the folder to make; another rendering there is replaced.
        description: what the rendered folder says about itself.
        render: writes all files into the folder it is given, which is renamed when it is done.

    Raises:
        DataError: `raw` holds files that were not rendered.
    """
    label = raw / RENDERED
    if label.is_file() and json.loads(label.read_text()) == description:
        return
    if raw.exists() and not label.is_file():
        raise DataError(f"{raw}: expected no folder or a rendered one, found other files")
    partial = raw.with_name(f"{raw.name}.partial")
    for folder in (raw, partial):
        shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir(parents=True)
    render(partial)
    (partial / RENDERED).write_text(json.dumps(description))
    partial.rename(raw)


def render_each(
    render: Callable[..., object],
    folder: Path,
    items: Sequence[object],
    seed: int,
    workers: int | None,
) -> None:
    """Call `render(folder, item, seed)` for every item, in worker processes, with progress.

    Args:
        render: a function of a module, so that it can travel to another process.
        folder: where it writes.
        items: what it is called with.
        seed: decides everything.
        workers: number of processes, by default one a core.
    """
    with (
        progress("rendering", len(items)) as done,
        worker_pool(min(workers or cores(), len(items))) as pool,
    ):
        for future in as_completed([pool.submit(render, folder, item, seed) for item in items]):
            future.result()
            done(1)
