"""UTD-MHAD file names: `a#_s#_t#_<modality>.mat` (Chen et al. 2015), and the 27 actions."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from datamodules.packed.errors import DataError

ACTIONS = (  # in the order of the data set
    *("swipe left", "swipe right", "wave", "clap", "throw", "cross arms", "basketball shoot"),
    *("draw X", "draw circle clockwise", "draw circle counter-clockwise", "draw triangle"),
    *("bowling", "boxing", "baseball swing", "tennis swing", "arm curl", "tennis serve", "push"),
    *("knock", "catch", "pick up and throw", "jog", "walk", "sit to stand", "stand to sit"),
    *("lunge", "squat"),
)
SUBJECTS, TRIALS = 8, 4
MODALITIES = ("skeleton", "inertial", "depth")
# field -> its letter and largest value; every field counts from 1
_FIELDS = {"action": ("a", len(ACTIONS)), "subject": ("s", SUBJECTS), "trial": ("t", TRIALS)}
_NAME = re.compile(
    "_".join(rf"{letter}([0-9]{{1,3}})" for letter, _ in _FIELDS.values())
    + rf"_({'|'.join(MODALITIES)})"
)


@dataclass(frozen=True, order=True)
class RecordingName:
    """The three numbers of a UTD-MHAD file name."""

    action: int
    subject: int
    trial: int

    @property
    def id(self) -> str:
        """The name without modality and suffix, as in `a1_s1_t1`."""
        return f"a{self.action}_s{self.subject}_t{self.trial}"

    @property
    def label(self) -> int:
        """Class index, 0 to 26."""
        return self.action - 1


def parse_recording_name(path: str | PurePath) -> tuple[RecordingName, str]:
    """Read the numbers and the modality out of a file name, with or without folder and suffix.

    Raises:
        DataError: the name is not of the scheme, or a number lies beyond the data set.
    """
    stem = PurePath(path).name.removesuffix(".mat")
    match = _NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            f"{path}: expected a UTD-MHAD name such as a1_s1_t1_skeleton.mat, with "
            f"{' or '.join(MODALITIES)}, found {stem!r}; rename the file or move it out of the "
            "folder"
        )
    *numbers, modality = match.groups()
    values = dict(zip(_FIELDS, map(int, numbers), strict=True))
    for field, (letter, largest) in _FIELDS.items():
        if not 1 <= values[field] <= largest:
            raise DataError(
                f"{path}: expected {field} between {letter}1 and {letter}{largest}, found "
                f"{letter}{values[field]}; rename the file or move it out of the folder"
            )
    return RecordingName(**values), modality
