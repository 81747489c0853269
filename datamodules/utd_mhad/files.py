"""Which files of a raw UTD-MHAD folder belong to which recording."""

import filecmp
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.formats.utd_mhad_name import MODALITIES, RecordingName, parse_recording_name
from datamodules.packed.errors import DataError
from datamodules.packed.source import check_folder, left_out, what_to_do


@dataclass
class UtdMhadFiles:
    """What a raw folder holds: `by_modality` is modality -> recording -> file."""

    by_modality: dict[str, dict[RecordingName, Path]] = field(
        default_factory=lambda: {name: {} for name in MODALITIES}
    )
    warnings: list[str] = field(default_factory=list)

    @property
    def recordings(self) -> list[RecordingName]:
        """All that have any file, in order."""
        return sorted({name for files in self.by_modality.values() for name in files})


def find_utd_mhad_files(raw: Path) -> UtdMhadFiles:
    """Search a folder and all below it; only file names count.

    Raises:
        DataError: the folder is not there or holds no UTD-MHAD file, or two different files are
            the same recording.
    """
    check_folder(raw, "UTD-MHAD")
    found = UtdMhadFiles()
    strange: list[Path] = []
    copies: list[Path] = []
    for path in sorted(path for path in raw.rglob("*.mat") if path.is_file()):
        try:
            name, modality = parse_recording_name(path)
        except DataError:
            strange.append(path)
            continue
        other = found.by_modality[modality].setdefault(name, path)
        if other == path:
            continue
        # Not by the size alone: recordings of the same length have files of the same size.
        if not filecmp.cmp(other, path, shallow=False):
            raise DataError(
                f"{path}: expected one {modality} file of {name.id}, found another one with other "
                f"content, {other}; move one of them out of the raw folder"
            )
        copies.append(path)
    why = "not named like a1_s1_t1_skeleton.mat, or beyond 27 actions, 8 subjects or 4 trials"
    found.warnings += left_out(strange, raw, why)
    found.warnings += left_out(copies, raw, "a second copy of the same recording")
    if not found.recordings:
        there = f"{len(strange)} with names such as {strange[0].name}" if strange else "none"
        raise DataError(
            f"{raw}: expected UTD-MHAD files (a1_s1_t1_skeleton.mat, _inertial.mat, _depth.mat), "
            f"found {there}; {what_to_do(raw)}"
        )
    return found
