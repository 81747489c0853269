"""Which files of a raw NTU RGB+D folder belong to which sample."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.formats.ntu_name import SampleName, is_sample_name, parse_sample_name
from datamodules.formats.text import read_text
from datamodules.formats.video import SUFFIXES
from datamodules.packed.errors import DataError
from datamodules.packed.source import check_folder, left_out, what_to_do

_KINDS = {".skeleton": "skeleton", **dict.fromkeys(SUFFIXES, "video")}  # suffix -> modality
_BETWEEN = re.compile(r"[\s,;\"'()\[\]{}]+")  # the words of a list
_LISTED = 5  # lines that a warning lists


@dataclass
class NtuFiles:
    """What a raw folder holds: `video` and `skeleton` are sample id -> file."""

    names: dict[str, SampleName] = field(default_factory=dict)
    video: dict[str, Path] = field(default_factory=dict)
    skeleton: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def by_modality(self) -> dict[str, dict[str, Path]]:
        """Sample id -> file, of each modality."""
        return {"video": self.video, "skeleton": self.skeleton}


def find_ntu_files(raw: Path) -> NtuFiles:
    """Search a folder and all below it; only file names count.

    Raises:
        DataError: the folder is not there or holds no NTU RGB+D file, or two different files are
            the same recording.
    """
    check_folder(raw, "NTU RGB+D")
    found = NtuFiles()
    strange: list[Path] = []
    copies: list[Path] = []
    for path in sorted(raw.rglob("*")):
        if path.suffix.lower() not in _KINDS or not path.is_file():
            continue
        try:
            name = parse_sample_name(path)
        except DataError:
            strange.append(path)
            continue
        files = found.by_modality[_KINDS[path.suffix.lower()]]
        other = files.setdefault(name.id, path)
        if other.stat().st_size != path.stat().st_size:
            raise DataError(
                f"{path}: expected one recording of {name.id}, found another one of a different "
                f"size, {other}; move one of them out of the raw folder"
            )
        copies += [path] * (other != path)
        found.names[name.id] = name
    found.warnings += left_out(
        strange,
        raw,
        "not named like S001C001P001R001A001_rgb.avi or .skeleton, or of more than 40 subjects or "
        "60 actions",
    )
    found.warnings += left_out(copies, raw, "a second copy of the same recording")
    if not found.names:
        there = [
            f"{len(strange)} videos and skeletons with names such as {p.name}" for p in strange
        ]
        raise DataError(
            f"{raw}: expected NTU RGB+D files (S001C001P001R001A001_rgb.avi or another video, "
            f".skeleton), found {there[0] if there else 'none'}; {what_to_do(raw)}"
        )
    return found


@dataclass(frozen=True)
class MissingSkeletons:
    """A list of samples whose skeletons are missing or incomplete."""

    names: set[str]
    warnings: list[str]  # about lines without a sample's name


def read_missing_skeletons(path: Path) -> MissingSkeletons:
    """Read the names of a list: one a line or several, quoted or numbered, after any heading.

    A line is of the list if its first word that is no number is a sample's name. So an example in a
    heading's sentence does not count. Samples beyond NTU RGB+D, as of its extension to 120 actions,
    are passed over.

    Raises:
        DataError: no such file, it is no text, or no line has a sample's name.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: expected a list of samples with missing skeletons, found no such file"
        )
    names: set[str] = set()
    others: list[int] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = [word for word in _BETWEEN.split(line) if word and not word.isdecimal()]
        if words and not is_sample_name(words[0]):
            others.append(number)
            continue
        names.update(name.id for name in map(_known, words) if name is not None)
    if not names:
        raise DataError(
            f"{path}: expected NTU RGB+D names such as S001C002P003R002A013 at the beginning of "
            "lines, found none; give the list of missing skeletons"
        )
    lines = ", ".join(map(str, others[:_LISTED])) + (" ..." if len(others) > _LISTED else "")
    passed = f"{path.name}: no sample's name at the beginning of line {lines}, passed over"
    return MissingSkeletons(names, [passed] if others else [])


def _known(word: str) -> SampleName | None:
    """The sample that a word names; none where it names none of NTU RGB+D."""
    try:
        return parse_sample_name(word)
    except DataError:
        return None
