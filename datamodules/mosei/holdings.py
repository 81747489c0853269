"""Which of the ways into CMU-MOSEI lies in a raw folder, and whether it can be read."""

from contextlib import ExitStack
from pathlib import Path

from datamodules.formats.csd import CsdFile
from datamodules.formats.mosei_csv import read_text_table
from datamodules.formats.mosei_folds import are_standard, read_folds
from datamodules.formats.mosei_pickle import read_mosei_pickle
from datamodules.mosei.from_csd import check_columns, kind_of
from datamodules.mosei.prepare import find_folds, single_file
from datamodules.packed.errors import DataError
from datamodules.packed.holding import Holding, looked_at, sample_notice

_FILES = {
    "labels": "CMU_MOSEI_Labels.csd",
    "words": "CMU_MOSEI_TimestampedWords.csd",
    "visual": "CMU_MOSEI_VisualFacet42.csd",
    "audio": "CMU_MOSEI_COVAREP.csd",
}
VIDEOS = 3227  # of the standard folds; two of them have no labels


def look_at_mosei(raw: str | Path) -> list[Holding]:
    """Open what there is, as prepare would.

    A `.csd` file that is cut off does not open; videos that one of them lacks are counted. A pickle
    and a table are read as a whole.

    Args:
        raw: the raw folder.
    """
    raw = Path(raw)
    if any(raw.rglob("*.csd")):
        return [*sample_notice(raw), *_csd(raw), _folds(raw)]
    try:
        file = single_file(raw)
    except DataError as error:
        return [Holding("files of one of the ways", "missing", str(error), needed=True)]
    if file.suffix == ".csv":
        rows = looked_at(file, read_text_table)
        if isinstance(rows, str):
            return [Holding(file.name, "wrong", rows)]
        splits = "" if rows[0].split else "; it has no column mode, so give folds=<file>"
        return [Holding(file.name, "complete", f"{len(rows)} texts with labels{splits}")]
    content = looked_at(file, read_mosei_pickle)
    if isinstance(content, str):
        return [Holding(file.name, "wrong", content)]
    sizes = ", ".join(f"{len(split.ids)} {name}" for name, split in content.items())
    return [Holding(file.name, "complete", sizes)]


def _csd(raw: Path) -> list[Holding]:
    """Each of the four kinds, and files that cannot be read."""
    held: list[Holding] = []
    with ExitStack() as stack:
        files: dict[str, CsdFile] = {}
        for path in sorted(raw.rglob("*.csd")):
            try:
                file = stack.enter_context(CsdFile(path))
                kind = kind_of(file)
                if kind:
                    check_columns({kind: file})
            except DataError as error:
                held.append(Holding(path.name, "wrong", str(error)))
                continue
            if not kind:
                detail = f"{file.root} is none of the four that prepare reads; it is not used"
                held.append(Holding(path.name, "partial", detail))
            elif kind in files:
                twins = f"is one of {kind}, as {files[kind].path.name} is; keep one of them"
                held.append(Holding(path.name, "wrong", twins))
            else:
                files[kind] = file
        unread = {entry.name for entry in held}
        return [*(_kind(kind, files) for kind in _FILES if _FILES[kind] not in unread), *held]


def _kind(kind: str, files: dict[str, CsdFile]) -> Holding:
    if kind not in files:
        others = kind == "labels" or not files.keys() - {"labels"}
        detail = "protocol=paper needs it" if kind == "words" else "ask for it"
        return Holding(_FILES[kind], "missing", detail, needed=others)
    file = files[kind]
    other = "" if file.path.name == _FILES[kind] else f"{file.path.name}, "
    count = f"{other}{len(file.videos)} videos"
    if "labels" not in files:
        return Holding(_FILES[kind], "complete", count)
    lacking = [video for video in files["labels"].videos if video not in file]
    if lacking:
        missing = f"{len(lacking)} labelled videos are not in it, such as {lacking[0]}"
        return Holding(_FILES[kind], "partial", f"{count}; {missing}")
    return Holding(_FILES[kind], "complete", count)


def _folds(raw: Path) -> Holding:
    name = "folds"
    try:
        path = find_folds(raw)
    except DataError as error:
        return Holding(name, "missing", str(error), needed=True)
    folds = looked_at(path, read_folds)
    if isinstance(folds, str):
        return Holding(name, "wrong", folds)
    which = "the standard folds" if are_standard(folds) else f"not the standard ones ({VIDEOS})"
    return Holding(name, "complete", f"{path.name}, {len(folds)} videos, {which}")
