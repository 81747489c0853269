"""A small rendered RAVDESS in the raw layout of the real one: drawn faces, synthetic voices.

24 actors, 8 emotions, 2 statements, 2 repetitions make 768 clips: an mp4 with sound and a landmark
csv each. From there on it takes the way of the real data: prepare, packed set, datamodule.
`emotions.py` says what is in it and how it was fixed.
"""

import json
import shutil
from collections.abc import Iterable
from concurrent.futures import as_completed
from dataclasses import asdict
from itertools import product
from pathlib import Path

from datamodules.errors import DataError
from datamodules.formats.ravdess_name import ACTORS, AUDIO_VIDEO, EMOTIONS, SPEECH, ClipName
from datamodules.prepare.packed import MANIFEST, differences, read_manifest
from datamodules.prepare.ravdess import RavdessSettings, prepare_ravdess
from datamodules.prepare.source import RENDERED
from datamodules.sample.performance import FPS, perform
from datamodules.sample.recording import write_mp4, write_tracking
from datamodules.sample.voice import RATE
from datamodules.workers import cores, progress, worker_pool

VERSION = 3  # of what is rendered: a change of any pixel or sample raises it
_NORMAL = 1  # intensity


def ensure_sample(
    root: str | Path,
    *,
    raw: str | Path,
    protocol: str,
    settings: RavdessSettings,
    actors: int = ACTORS,
    seed: int = 0,
    workers: int | None = None,
) -> None:
    """Render and prepare the sample data where they are not there yet.

    Jobs that start together wait for the one that came first.

    Args:
        root: the packed folder.
        raw: the folder for the rendered files.
        protocol: name of the protocol that the settings belong to.
        settings: of prepare.
        actors: number of actors.
        seed: decides everything that is rendered.
        workers: number of processes, by default one a core.

    Raises:
        DataError: `root` holds something else, or as `prepare_ravdess` says.
    """
    from filelock import FileLock

    root, raw = Path(root), Path(raw)
    wanted = {
        "protocol": protocol,
        "settings": asdict(settings),
        "rendered": rendering(range(1, actors + 1), seed),
    }
    raw.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(raw.with_name(f"{raw.name}.lock")):
        if (root / MANIFEST).exists():
            manifest = read_manifest(root)
            there = {**manifest, "rendered": manifest["source"].get("rendered")}
            different = differences({name: there.get(name) for name in wanted}, wanted)
            if different:
                raise DataError(
                    f"{root}: holds another data set than the sample that was asked for "
                    f"({'; '.join(different)}); delete the folder and the next run makes it anew"
                )
            return
        render_ravdess(raw, actors=range(1, actors + 1), seed=seed, workers=workers)
        prepare_ravdess(raw, root, protocol=protocol, settings=settings, workers=workers)


def rendering(actors: Iterable[int], seed: int) -> dict[str, object]:
    """What a rendered folder says about itself."""
    return {"generator": VERSION, "actors": list(actors), "seed": seed}


def render_ravdess(
    raw: str | Path, *, actors: Iterable[int], seed: int, workers: int | None = None
) -> None:
    """Render all clips of some actors, unless that very rendering is there.

    Args:
        raw: the folder to make; another rendering there is replaced.
        actors: 1 to 24.
        seed: decides everything.
        workers: number of processes, by default one a core.

    Raises:
        DataError: `raw` holds files that were not rendered.
    """
    raw = Path(raw)
    description = rendering(actors, seed)
    label = raw / RENDERED
    if label.is_file() and json.loads(label.read_text()) == description:
        return
    if raw.exists() and not label.is_file():
        raise DataError(f"{raw}: expected no folder or a rendered one, found other files")
    partial = raw.with_name(f"{raw.name}.partial")
    for folder in (raw, partial):
        shutil.rmtree(folder, ignore_errors=True)
    fields = product(range(1, len(EMOTIONS) + 1), [_NORMAL], (1, 2), (1, 2), actors)
    names = [ClipName(AUDIO_VIDEO, SPEECH, *values) for values in fields]
    for actor in actors:
        (partial / f"Actor_{actor:02d}").mkdir(parents=True)
    with (
        progress("rendering", len(names)) as done,
        worker_pool(min(workers or cores(), len(names))) as pool,
    ):
        for future in as_completed([pool.submit(render_clip, partial, n, seed) for n in names]):
            future.result()
            done(1)
    (partial / RENDERED).write_text(json.dumps(description))
    partial.rename(raw)


def render_clip(raw: Path, name: ClipName, seed: int) -> None:
    """Write one clip's mp4 and csv."""
    clip = perform(name, seed)
    path = raw / f"Actor_{name.actor:02d}" / f"{name.id}.mp4"
    write_mp4(path, clip.images, FPS, clip.samples, RATE)
    write_tracking(path.with_suffix(".csv"), FPS, clip.confidence, clip.points, clip.action_units)
