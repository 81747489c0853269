"""Which files of a raw NTU RGB+D folder belong to which sample."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.formats.ntu_name import SampleName, parse_sample_name
from datamodules.packed.errors import DataError
from datamodules.packed.source import left_out

_KINDS = {".avi": "video", ".skeleton": "skeleton"}  # suffix -> modality


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
    if not raw.is_dir():
        raise DataError(f"{raw}: expected a folder with NTU RGB+D files, found no such folder")
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
                f"size, {other}; delete the wrong one"
            )
        copies += [path] * (other != path)
        found.names[name.id] = name
    found.warnings += left_out(strange, raw, "outside NTU RGB+D's names, 40 subjects or 60 actions")
    found.warnings += left_out(copies, raw, "a second copy of the same recording")
    if not found.names:
        raise DataError(
            f"{raw}: expected NTU RGB+D files (S001C001P001R001A001_rgb.avi, .skeleton), found "
            f"{len(strange)} avi and skeleton files with other names; unpack the archives there"
        )
    return found


def read_missing_skeletons(path: Path) -> set[str]:
    """Read the names of samples whose skeletons are missing or incomplete, one a line.

    Raises:
        DataError: no such file, or a line is no sample's name.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: expected a list of samples with missing skeletons, found no such file"
        )
    return {_id(line, path, number) for number, line in _lines(path)}


def _lines(path: Path) -> Iterable[tuple[int, str]]:
    text = path.read_text(errors="replace")
    return ((n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip())


def _id(line: str, path: Path, number: int) -> str:
    try:
        return parse_sample_name(line).id
    except DataError as error:
        raise DataError(f"{path}, line {number}: {error}") from error
