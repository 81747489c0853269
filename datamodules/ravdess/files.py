"""Which files of a raw RAVDESS folder belong to which clip."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.formats.ravdess_name import (
    AUDIO_ONLY,
    AUDIO_VIDEO,
    SPEECH,
    VIDEO_ONLY,
    ClipName,
    parse_clip_name,
)
from datamodules.formats.video import SUFFIXES
from datamodules.packed.errors import DataError
from datamodules.packed.source import check_folder, left_out, what_to_do

_SOUND = (".wav", ".flac")
_KINDS = {  # (suffix, modality of the name) -> kind
    (".mp4", AUDIO_VIDEO): "video",
    (".csv", AUDIO_VIDEO): "tracking",
    **{(suffix, AUDIO_ONLY): "sound" for suffix in _SOUND},
    **{(suffix, AUDIO_VIDEO): "soundtrack" for suffix in _SOUND},  # taken out of the videos
}
# Other forms are named where they lie, and not used: an avi is mostly what OpenFace drew upon.
_SUFFIXES = {suffix for suffix, _ in _KINDS} | {*SUFFIXES, ".mp3", ".m4a", ".ogg"}
_NAMED_AS = {
    AUDIO_VIDEO: "video with sound",
    VIDEO_ONLY: "video without sound",
    AUDIO_ONLY: "sound alone",
}


@dataclass
class RavdessFiles:
    """What a raw folder holds: clip id -> file, of each kind, and how many files of which other.

    `sound` is recorded by itself, `soundtrack` taken out of the video by somebody.
    """

    names: dict[str, ClipName] = field(default_factory=dict)
    video: dict[str, Path] = field(default_factory=dict)
    tracking: dict[str, Path] = field(default_factory=dict)
    soundtrack: dict[str, Path] = field(default_factory=dict)
    sound: dict[str, Path] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    @property
    def by_kind(self) -> dict[str, dict[str, Path]]:
        """Clip id -> file, of each kind."""
        return {
            "video": self.video,
            "tracking": self.tracking,
            "soundtrack": self.soundtrack,
            "sound": self.sound,
        }

    @property
    def unused(self) -> str:
        """How many files of which kind are not used, in words; empty where there are none."""
        return ", ".join(f"{number} {kind}" for kind, number in sorted(self.ignored.items()))


def find_ravdess_files(
    raw: Path, *, skip: Path | None = None, actors: Collection[int] = ()
) -> RavdessFiles:
    """Search a folder and all below it.

    Args:
        raw: the folder, in the layout as published or any other: only file names count.
        skip: a file that is known to be something else.
        actors: whose files count; everybody's if not given.

    Raises:
        DataError: the folder is not there or holds no RAVDESS file, or two different files are the
            same recording.
    """
    check_folder(raw, "RAVDESS")
    found, strange, copies = RavdessFiles(), [], []
    for path in sorted(raw.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES or not path.is_file() or (skip and path.samefile(skip)):
            continue
        try:
            name = parse_clip_name(path)
        except DataError:
            strange.append(path)
            continue
        if actors and name.actor not in actors:
            continue
        kind = _KINDS.get((suffix, name.modality)) if name.channel == SPEECH else None
        if kind is None:
            found.ignored[_why_unused(name, suffix)] += 1
        elif not _add(found.by_kind[kind], name.id, path):
            copies.append(path)
        else:
            found.names[name.id] = name
    found.warnings += left_out(
        strange, raw, "not named by the RAVDESS scheme (01-01-05-01-02-01-12)"
    )
    found.warnings += left_out(copies, raw, "a second copy of the same recording")
    if not found.names:
        there = [found.unused] if found.unused else []
        there += [f"{len(strange)} with names such as {strange[0].name}"] if strange else []
        whose = f" of the actors {', '.join(map(str, sorted(actors)))}" if actors else ""
        raise DataError(
            f"{raw}: expected RAVDESS speech files (01-01-*.mp4, 01-01-*.csv, 03-01-*.wav or "
            f".flac){whose}, found {' and '.join(there) or 'none'}; {what_to_do(raw)}"
        )
    return found


def _why_unused(name: ClipName, suffix: str) -> str:
    if name.channel != SPEECH:
        return "song (..-02-..)"
    return f"{suffix} named as {_NAMED_AS[name.modality]} ({name.modality:02d}-..)"


def _add(files: dict[str, Path], clip: str, path: Path) -> bool:
    """Note a file; False for a copy (the archives that circulate hold some files twice)."""
    other = files.setdefault(clip, path)
    if other != path and (
        other.suffix != path.suffix or other.stat().st_size != path.stat().st_size
    ):
        raise DataError(
            f"{path}: expected one recording of {clip}, found another one, {other}, "
            "of a different form or size; move one of them out of the raw folder"
        )
    return other == path
