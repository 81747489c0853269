"""RAVDESS file names: `MM-CC-EE-II-SS-RR-AA` (Livingstone & Russo 2018, table 4)."""

from dataclasses import dataclass
from pathlib import PurePath

from datamodules.packed.errors import DataError

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
ACTORS = 24
AUDIO_VIDEO, VIDEO_ONLY, AUDIO_ONLY = 1, 2, 3
SPEECH = 1

# field -> largest value; every field counts from 1
_FIELDS = {
    "modality": 3,
    "channel": 2,
    "emotion": len(EMOTIONS),
    "intensity": 2,
    "statement": 2,
    "repetition": 2,
    "actor": ACTORS,
}


@dataclass(frozen=True, order=True)
class ClipName:
    """The seven fields of a RAVDESS file name."""

    modality: int
    channel: int
    emotion: int
    intensity: int
    statement: int
    repetition: int
    actor: int

    @property
    def id(self) -> str:
        """The clip's name as speech with picture and sound, whichever recording this file is."""
        fields = (self.emotion, self.intensity, self.statement, self.repetition, self.actor)
        return "-".join(f"{field:02d}" for field in (AUDIO_VIDEO, self.channel, *fields))

    @property
    def label(self) -> int:
        """Class index, 0 to 7."""
        return self.emotion - 1


def parse_clip_name(path: str | PurePath) -> ClipName:
    """Read the fields out of a file name, with or without folder and suffix.

    Raises:
        DataError: the name is not of the RAVDESS scheme.
    """
    stem = PurePath(path).name.split(".")[0]
    parts = stem.split("-")
    if len(parts) != len(_FIELDS) or not all(len(p) == 2 and p.isdecimal() for p in parts):
        raise DataError(
            f"{path}: expected a RAVDESS name of seven two-digit fields such as "
            f"01-01-05-01-02-01-12, found {stem!r}; rename the file or move it out of the folder"
        )
    values = dict(zip(_FIELDS, map(int, parts), strict=True))
    for field, largest in _FIELDS.items():
        if not 1 <= values[field] <= largest:
            raise DataError(
                f"{path}: expected {field} between 01 and {largest:02d}, found "
                f"{values[field]:02d}; rename the file or move it out of the folder"
            )
    return ClipName(**values)
