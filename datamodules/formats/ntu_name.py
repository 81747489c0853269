"""NTU RGB+D file names: `S###C###P###R###A###` (Shahroudy et al. 2016), and the sixty actions."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from datamodules.packed.errors import DataError

ACTIONS = (  # in the order of the data set; the eleven from `punch` on have two persons
    *("drink", "eat", "brush teeth", "brush hair", "drop", "pick up", "throw", "sit down"),
    *("stand up", "clap", "read", "write", "tear up paper", "put on jacket", "take off jacket"),
    *("put on shoe", "take off shoe", "put on glasses", "take off glasses", "put on hat"),
    *("take off hat", "cheer up", "wave hand", "kick something", "reach into pocket", "hop"),
    *("jump up", "phone call", "play with phone", "type on keyboard", "point to something"),
    *("take selfie", "check time", "rub hands", "nod head", "shake head", "wipe face", "salute"),
    *("palms together", "cross hands", "sneeze", "stagger", "fall down", "headache", "chest pain"),
    *("back pain", "neck pain", "nausea", "fan self", "punch", "kick", "push", "pat on back"),
    *("point finger", "hug", "give object", "touch pocket", "shake hands", "walk towards"),
    *("walk apart",),
)
# field -> its letter and largest value; every field counts from 1
_FIELDS = {
    "setup": ("S", 17),
    "camera": ("C", 3),
    "subject": ("P", 40),
    "replication": ("R", 2),
    "action": ("A", len(ACTIONS)),
}
_NAME = re.compile("".join(rf"{letter}([0-9]{{3}})" for letter, _ in _FIELDS.values()))


@dataclass(frozen=True, order=True)
class SampleName:
    """The five fields of an NTU RGB+D file name."""

    setup: int
    camera: int
    subject: int
    replication: int
    action: int

    @property
    def id(self) -> str:
        """The name without suffix, as in `S001C002P003R002A013`."""
        values = ((letter, getattr(self, field)) for field, (letter, _) in _FIELDS.items())
        return "".join(f"{letter}{value:03d}" for letter, value in values)

    @property
    def label(self) -> int:
        """Class index, 0 to 59."""
        return self.action - 1


def is_sample_name(path: str | PurePath) -> bool:
    """Whether a name is of the scheme, also one of the extension to 120 actions."""
    return _NAME.fullmatch(_stem(path)) is not None


def parse_sample_name(path: str | PurePath) -> SampleName:
    """Read the fields out of a file name, with or without folder, `_rgb` and suffix.

    Raises:
        DataError: the name is not of the scheme, or a field lies beyond NTU RGB+D (as those of the
            120-class extension do).
    """
    stem = _stem(path)
    match = _NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            f"{path}: expected an NTU RGB+D name such as S001C002P003R002A013, found {stem!r}; "
            "rename the file or move it out of the folder"
        )
    values = dict(zip(_FIELDS, map(int, match.groups()), strict=True))
    for field, (letter, largest) in _FIELDS.items():
        if not 1 <= values[field] <= largest:
            raise DataError(
                f"{path}: expected {field} between {letter}001 and {letter}{largest:03d}, found "
                f"{letter}{values[field]:03d}; rename the file or move it out of the folder"
            )
    return SampleName(**values)


def _stem(path: str | PurePath) -> str:
    return PurePath(path).name.split(".")[0].removesuffix("_rgb")
