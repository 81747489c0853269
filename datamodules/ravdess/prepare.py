"""RAVDESS: raw files -> packed set of face crops, MFCC and action units."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from datamodules.formats.action_units import read_action_unit_table
from datamodules.formats.openface import ACTION_UNITS, columns_of
from datamodules.formats.ravdess_name import ACTORS, EMOTIONS, ClipName
from datamodules.packed.errors import DataError
from datamodules.packed.job import PrepareJob, pack
from datamodules.packed.parts import LISTED
from datamodules.packed.source import fingerprint, listing, rendered
from datamodules.packed.workers import cores
from datamodules.ravdess.clip import Clip, PrepareClip, RavdessSettings
from datamodules.ravdess.files import RavdessFiles, find_ravdess_files

TASK = "ravdess"
LIBRARIES = (
    "numpy", "torchaudio", "librosa", "soxr", "soundfile", "av", "opencv-python-headless"
)  # fmt: skip
# measured on one core with 720p video, for the estimate that is printed before the work begins
_SECONDS_PER_CLIP = {"video": 0.45, "audio": 0.03, "action_units": 0.01}

Table = dict[str, np.ndarray]


def prepare_ravdess(
    raw: str | Path,
    out: str | Path,
    *,
    protocol: str,
    settings: RavdessSettings,
    action_units: str | Path | None = None,
    actors: Collection[int] | None = None,
    workers: int | None = None,
) -> Path:
    """Pack whatever a raw folder holds.

    Args:
        raw: folder with any of `01-01-*.mp4`, `01-01-*.csv` (OpenFace), `03-01-*.wav` or `.flac`.
        out: the packed folder to make.
        protocol: name of the protocol that the settings belong to.
        settings: what acts here.
        action_units: a table of action units that replaces those in OpenFace's files.
        actors: pack these alone, as a part that `join_parts` takes; everybody if not given.
        workers: number of processes, by default one a core.

    Returns:
        The packed folder.

    Raises:
        DataError: nothing usable was found, or as `pack` says.
    """
    raw = Path(raw)
    table_path = None if action_units is None else Path(action_units)
    table = None if table_path is None else read_action_unit_table(table_path)
    files = find_ravdess_files(raw, skip=table_path, actors=_checked(actors))
    columns = {clip: columns_of(path) for clip, path in files.tracking.items()}
    modalities = _choose_modalities(files, columns, table, raw)
    if not modalities:
        reasons = "; ".join(files.warnings) or (
            "OpenFace's csvs have neither all landmarks nor all action units"
        )
        raise DataError(f"{raw}: found nothing that can be packed: {reasons}")
    clips, dropped = _gather(files, table, modalities)
    how = rendered(raw)
    # a set, for a clip's sound may be that of its video
    every = {path for c in clips.values() for path in (c.video, c.tracking, c.sound)} | {table_path}
    used = [path for path in every if path is not None]
    part = {LISTED: [list(pair) for pair in listing(used, raw)]} if actors else {}
    job = PrepareJob(
        task=TASK,
        protocol=protocol,
        provenance="sample" if how else "real",
        settings=asdict(settings),
        source={**fingerprint(used, raw), **part, **how},
        index=[_index_row(files.names[clip]) for clip in clips],
        items=list(clips.values()),
        work=PrepareClip(raw, settings, modalities),
        bytes_per_sample=_bytes_per_clip(settings, modalities),
        seconds_per_sample=sum(_SECONDS_PER_CLIP[modality] for modality in modalities),
        dropped=dropped,
        counts={"ignored": sum(files.ignored.values())},
        warnings=files.warnings,
        libraries=LIBRARIES,
    )
    return pack(job, out, workers=workers or cores())


def _checked(actors: Collection[int] | None) -> frozenset[int]:
    known = range(1, ACTORS + 1)
    wrong = [actor for actor in actors or () if actor not in known]
    if wrong:
        raise DataError(f"actors: expected numbers from 1 to {ACTORS}, found {wrong[0]}")
    return frozenset(actors or ())


def _choose_modalities(
    files: RavdessFiles, columns: Mapping[str, frozenset[str]], table: Table | None, raw: Path
) -> tuple[str, ...]:
    """Those that the folder has files for; says what was found and what it leads to."""
    tracked = len(columns)
    having = Counter(kind for kinds in columns.values() for kind in kinds)
    # Columns that most files lack would drop most clips; a few files without them drop themselves.
    usual = {kind for kind in ("landmarks", "action_units") if 2 * having[kind] >= tracked > 0}
    source = "a table" if table else "OpenFace's csvs" if "action_units" in usual else "none"
    sounds = len(files.sound.keys() | files.soundtrack.keys())
    print(
        f"found in {raw}: {len(files.video)} videos, {tracked} OpenFace csvs "
        f"({having['landmarks']} with landmarks, {having['action_units']} with action units), "
        f"{sounds} sound files, action units: {source}; not used: {files.unused or 'none'}"
    )
    if files.video and not tracked:
        files.warnings.append(
            f"{len(files.video)} videos but no landmark csv, so no face can be cropped and video "
            "is not packed: fetch FacialTracking_Actors_01-24.zip and unpack it into the raw folder"
        )
    elif files.video and "landmarks" not in usual:
        files.warnings.append(
            f"{len(files.video)} videos, but {tracked - having['landmarks']} of {tracked} csvs "
            "have no landmarks, so no face can be cropped and video is not packed: track the "
            "videos with OpenFace's -2Dfp"
        )
    for kind in ("landmarks", "action_units"):
        if 0 < having[kind] < tracked and not (kind == "action_units" and table):
            files.warnings.append(
                f"{having[kind]} of {tracked} OpenFace csvs have {kind.replace('_', ' ')}"
                + ("" if kind in usual else ", so they are not used")
            )
    for warning in files.warnings:
        print(f"warning: {warning}")
    present = {
        "video": bool(files.video) and "landmarks" in usual,
        "audio": bool(files.sound or files.soundtrack or files.video),
        "action_units": bool(table) or "action_units" in usual,
    }
    print(f"packing: {', '.join(name for name in present if present[name]) or 'nothing'}")
    return tuple(name for name in present if present[name])


def _gather(
    files: RavdessFiles, table: Table | None, modalities: tuple[str, ...]
) -> tuple[dict[str, Clip], dict[str, str]]:
    """Clips that have every packed modality, and the reason for each that has not."""
    tracked = "video" in modalities or ("action_units" in modalities and not table)
    video = files.video if "video" in modalities else {}
    tracking = files.tracking if tracked else {}
    sounds = {**files.video, **files.soundtrack, **files.sound}  # the later, the better
    sound = sounds if "audio" in modalities else {}
    units = table or {}
    needed: dict[str, Mapping[str, object]] = {
        "video": video,
        "OpenFace csv": tracking,
        "sound": sound,
        "row in the table of action units": units,
    }
    clips: dict[str, Clip] = {}
    dropped: dict[str, str] = {}
    for clip in sorted(files.names):
        missing = [f"no {name}" for name, there in needed.items() if there and clip not in there]
        if missing:
            dropped[clip] = ", ".join(missing)
        else:
            clips[clip] = Clip(
                video.get(clip), tracking.get(clip), sound.get(clip), units.get(clip)
            )
    return clips, dropped


def _index_row(name: ClipName) -> dict[str, object]:
    return {
        "id": name.id,
        "actor": name.actor,
        "label": name.label,
        "emotion": EMOTIONS[name.label],
        "intensity": name.intensity,
        "statement": name.statement,
        "repetition": name.repetition,
    }


def _bytes_per_clip(settings: RavdessSettings, modalities: tuple[str, ...]) -> int:
    steps = 1 + round(settings.sample_rate * settings.duration) // settings.hop_length
    sizes = {
        "video": settings.frames * settings.size**2 * 3,
        "audio": settings.n_mfcc * steps * 4,
        "action_units": len(ACTION_UNITS) * 4,
    }
    return sum(sizes[modality] for modality in modalities)
