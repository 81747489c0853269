"""CMU-MOSEI from the SDK's `.csd` files: which segments there are, and where their rows lie.

Only intervals, words and labels are read here; faces and voices are read when they are packed.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from datamodules.formats.csd import CsdFile
from datamodules.mosei.rows import (
    COLUMNS,
    EMOTIONS,
    Segment,
    SegmentPlan,
    clip_labels,
    short,
)
from datamodules.mosei.segment import AlignSegment, MoseiSettings
from datamodules.mosei.tracks import Tracks
from datamodules.packed.errors import DataError, without_folders

_SECONDS_PER_SEGMENT = 0.005  # on one core, for the estimate that is printed before the work
# videos of whose times users of the SDK complain (its issues 227 and 278)
_DOUBTFUL = {"hh04W3xXa5s", "ZZzdvUdOTww"}
# names of root groups, in every spelling that files in circulation have, as letters and digits
_ROOTS = {
    "words": ("words", "timestampedwords", "cmumoseitimestampedwords"),
    "visual": ("facet42", "facet", "cmumoseivisualfacet42"),
    "audio": ("covarep", "coavarep", "cmumoseicovarep"),
    "labels": ("alllabels", "sentimentlabels", "cmumoseilabels", "opinionsegmentlabels"),
}


def find_csd_files(raw: Path) -> tuple[dict[str, Path], list[str]]:
    """Tell the `.csd` files below a folder apart by the names of their root groups.

    Returns:
        `words`, `visual`, `audio` and `labels` -> file, as far as they are there, and the names of
        further files, which are not used.

    Raises:
        DataError: a file cannot be read, two are of one kind, or there are no labels.
    """
    found: dict[str, Path] = {}
    others: list[str] = []
    for path in sorted(raw.rglob("*.csd")):
        with CsdFile(path) as file:
            kind = kind_of(file)
        if not kind:
            others.append(path.name)
        elif found.setdefault(kind, path) != path:
            raise DataError(
                f"{path}: expected one file of {kind}, found {found[kind].name} as well; "
                "keep one of them in the raw folder"
            )
    if "labels" not in found or len(found) < 2:
        raise DataError(
            f"{raw}: expected CMU_MOSEI_Labels.csd and at least one of TimestampedWords, "
            f"VisualFacet42 and COVAREP, found {', '.join(sorted(found)) or 'none of them'}"
            + (f" ({', '.join(others)} are not used)" if others else "")
        )
    return found, others


def plan_csd(
    files: Mapping[str, Path], folds: Mapping[str, str], settings: MoseiSettings
) -> SegmentPlan:
    """Find the rows of every labelled segment, by the rules of the SDK's `align`.

    Args:
        files: as `find_csd_files` returns them.
        folds: video -> split.
        settings: of prepare.

    Returns:
        The segments in the order of the labels' file, `<video>[<i>]` each.

    Raises:
        DataError: a file is damaged, or its columns are not those of FACET 4.2, COVAREP or labels.
    """
    if settings.alignment == "word" and "words" not in files:
        raise DataError(
            "alignment=word: expected the file CMU_MOSEI_TimestampedWords.csd in the raw folder, "
            "found none; add it, or prepare with protocol=released"
        )
    frames = {kind: files[kind] for kind in COLUMNS if kind in files}
    plan = SegmentPlan(
        files=list(files.values()),
        folds=folds,
        work=AlignSegment(frames, settings) if frames else None,
        sizes={kind: settings.steps * COLUMNS[kind] * 4 for kind in frames},
        sentences="words" in files,
        seconds=_SECONDS_PER_SEGMENT,
    )
    with ExitStack() as stack:
        opened = {kind: stack.enter_context(CsdFile(path)) for kind, path in files.items()}
        check_columns(opened)
        for video in opened["labels"].videos:
            _plan_video(video, opened, folds.get(video, ""), settings, plan)
        unlabelled = sorted(video for video in folds if video not in opened["labels"])
    doubtful = sorted(_DOUBTFUL & {segment.video for segment in plan.segments})
    if doubtful:
        plan.warnings.append(
            f"words or labels of {', '.join(doubtful)} are reported to have wrong times; "
            "they are used as they are"
        )
    if unlabelled:
        plan.counts["videos_without_labels"] = len(unlabelled)
        plan.warnings.append(
            f"{len(unlabelled)} videos of the folds have no labels: {', '.join(unlabelled[:5])}"
            + (" ..." if len(unlabelled) > 5 else "")
        )
    return plan


def _plan_video(
    video: str,
    files: Mapping[str, CsdFile],
    split: str,
    settings: MoseiSettings,
    plan: SegmentPlan,
) -> None:
    intervals = files["labels"].intervals(video)  # (k, 2)
    ids = [f"{video}[{number}]" for number in range(len(intervals))]
    lacking = [kind for kind, file in files.items() if video not in file]
    if not split or lacking:
        reason = (
            f"its video has no {' and no '.join(lacking)}" if split else "no fold has its video"
        )
        plan.dropped.update(dict.fromkeys(ids, reason))
        return
    where = f"{files['labels'].path}, {video}"
    labels, clipped = clip_labels(files["labels"].features(video), where, ids)
    plan.counts["labels_clipped"] += clipped
    try:
        tracks = Tracks.read(video, files, settings)
    except DataError as error:  # one damaged video does not end the work on the others
        plan.dropped.update(dict.fromkeys(ids, without_folders(error, *plan.files)))
        return
    for name, interval, (sentiment, *emotions) in zip(ids, intervals, labels, strict=True):
        found = tracks.locate(interval)
        if found.missing:
            plan.dropped[name] = found.missing
            continue
        plan.items.append(found.stretch)
        plan.segments.append(
            Segment(
                id=name,
                video=video,
                split=split,
                label=short(sentiment),
                emotions=[short(value) for value in emotions],
                interval=(short(interval[0]), short(interval[1])),
                sentence=found.sentence,
                lengths=found.lengths,
            )
        )


def kind_of(file: CsdFile) -> str:
    """What a file holds; empty where it is none of the four."""
    for name in (file.root, str(file.metadata.get("root name", "")), file.path.stem):
        plain = "".join(letter for letter in name.lower() if letter.isalnum())
        for kind, spellings in _ROOTS.items():
            if plain in spellings:
                return kind
    return ""


def check_columns(files: Mapping[str, CsdFile]) -> None:
    """Refuse files that have other columns than their kind.

    Raises:
        DataError: names the first one.
    """
    for kind, file in files.items():
        allowed = {
            "words": (1,),
            "labels": (1, 1 + len(EMOTIONS)),
            **{name: (columns,) for name, columns in COLUMNS.items()},
        }[kind]
        if file.columns not in allowed:
            raise DataError(
                f"{file.path}: expected {' or '.join(map(str, allowed))} columns of {kind}, found "
                f"{file.columns}; fetch the file that docs/data.md names"
            )
