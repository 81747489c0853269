"""Which files of a raw RAVDESS folder belong to which clip."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.formats.ravdess_name import (
    AUDIO_ONLY,
    AUDIO_VIDEO,
    SPEECH,
    ClipName,
    parse_clip_name,
)
from datamodules.packed.errors import DataError
from datamodules.packed.source import left_out

_KINDS = {  # (suffix, modality of the name) -> kind
    (".mp4", AUDIO_VIDEO): "video",
    (".csv", AUDIO_VIDEO): "landmarks",
    (".wav", AUDIO_ONLY): "sound",
    (".flac", AUDIO_ONLY): "sound",
}


@dataclass
class RavdessFiles:
    """What a raw folder holds: `video`, `landmarks` and `sound` are clip id -> file."""

    names: dict[str, ClipName] = field(default_factory=dict)
    video: dict[str, Path] = field(default_factory=dict)
    landmarks: dict[str, Path] = field(default_factory=dict)
    sound: dict[str, Path] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    @property
    def by_kind(self) -> dict[str, dict[str, Path]]:
        """Clip id -> file, of each kind."""
        return {"video": self.video, "landmarks": self.landmarks, "sound": self.sound}


def find_ravdess_files(raw: Path, *, skip: Path | None = None) -> RavdessFiles:
    """Search a folder and all below it.

    Args:
        raw: the folder, in the layout as published or any other: only file names count.
        skip: a file that is known to be something else.

    Raises:
        DataError: the folder is not there or holds no RAVDESS file, or two different files are the
            same recording.
    """
    if not raw.is_dir():
        raise DataError(f"{raw}: expected a folder with RAVDESS files, found no such folder")
    found, strange, copies = RavdessFiles(), [], []
    suffixes = {suffix for suffix, _ in _KINDS}
    for path in sorted(raw.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in suffixes or not path.is_file() or (skip and path.samefile(skip)):
            continue
        try:
            name = parse_clip_name(path)
        except DataError:
            strange.append(path)
            continue
        kind = _KINDS.get((suffix, name.modality)) if name.channel == SPEECH else None
        if kind is None:
            found.ignored["song" if name.channel != SPEECH else "not used"] += 1
        elif not _add(found.by_kind[kind], name.id, path):
            copies.append(path)
        else:
            found.names[name.id] = name
    found.warnings += left_out(
        strange, raw, "not named by the RAVDESS scheme (01-01-05-01-02-01-12)"
    )
    found.warnings += left_out(copies, raw, "a second copy of the same recording")
    if not (found.video or found.landmarks or found.sound):
        raise DataError(
            f"{raw}: expected RAVDESS speech files (01-01-*.mp4, 01-01-*.csv, 03-01-*.wav or "
            f".flac), found {len(strange)} files with other names and "
            f"{sum(found.ignored.values())} that are not used (song, video only); "
            "unpack the archives there"
        )
    return found


def _add(files: dict[str, Path], clip: str, path: Path) -> bool:
    """Note a file; False for a copy (the archives that circulate hold some files twice)."""
    other = files.setdefault(clip, path)
    if other != path and (
        other.suffix != path.suffix or other.stat().st_size != path.stat().st_size
    ):
        raise DataError(
            f"{path}: expected one recording of {clip}, found another one, {other}, "
            "of a different form or size; delete the wrong one"
        )
    return other == path
