"""How much of NTU RGB+D lies in a raw folder, and whether it can be read."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from datamodules.formats.ntu_name import SampleName
from datamodules.formats.skeleton import read_skeleton
from datamodules.formats.whole import check_whole
from datamodules.ntu.files import NtuFiles, find_ntu_files, read_missing_skeletons
from datamodules.ntu.prepare import SAMPLES
from datamodules.packed.errors import DataError
from datamodules.packed.holding import Holding, looked_at, sample_notice
from datamodules.packed.workers import progress

CAMERAS = (1, 2, 3)
SETUPS = range(1, 18)
_READ = 2000  # skeleton files that are read: evenly spread, a minute's work
_LISTED = 3


def look_at_ntu(raw: str | Path) -> list[Holding]:
    """Count samples, and read what tells quickly whether a file is whole.

    Of every video the sizes that it states itself are compared with its own; of the skeletons at
    most 2000 are read.

    Args:
        raw: the raw folder.
    """
    raw = Path(raw)
    try:
        files = find_ntu_files(raw)
    except DataError as error:
        return [Holding("samples", "missing", str(error), needed=True)]
    skeletons = files.skeleton
    every = max(1, -(-len(skeletons) // _READ))
    read = dict(islice(skeletons.items(), 0, None, every))
    return [
        *sample_notice(raw),
        _modality("videos", files.video, files.names, files.video, check_whole),
        _modality("skeletons", skeletons, files.names, read, read_skeleton),
        _pairs(files),
        _missing_skeletons(raw),
    ]


def _modality(
    name: str,
    there: Mapping[str, Path],
    names: Mapping[str, SampleName],
    looked: Mapping[str, Path],
    read: Callable[[Path], Any],
) -> Holding:
    if not there:
        return Holding(name, "missing", f"none of {SAMPLES}; the other modality can go alone")
    wrong = []
    with progress(f"looking at {name}", len(looked)) as done:
        for path in looked.values():
            found = looked_at(path, read)
            wrong += [found] if isinstance(found, str) else []
            done(1)
    if wrong:
        more = f" and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        files = f"{len(wrong)} of {len(looked)} looked at cannot be used"
        return Holding(name, "wrong", f"{files}: {'; '.join(wrong[:_LISTED])}{more}")
    count = f"{len(there)} of {SAMPLES}, {len(looked)} looked at"
    if len(there) >= SAMPLES:
        return Holding(name, "complete", count)
    return Holding(name, "partial", f"{count}{_gaps([names[sample] for sample in there])}")


def _gaps(names: Iterable[SampleName]) -> str:
    """Which setups are not there at all, and how many recordings lack a camera."""
    cameras: defaultdict[str, set[int]] = defaultdict(set)
    setups: Counter[int] = Counter()
    for name in names:
        setups[name.setup] += 1
        cameras[name.id.replace(f"C{name.camera:03d}", "", 1)].add(name.camera)
    absent = [f"S{setup:03d}" for setup in SETUPS if not setups[setup]]
    lacking = sum(len(found) < len(CAMERAS) for found in cameras.values())
    said = f"; nothing of {', '.join(absent)}" if absent else ""
    return said + (f"; {lacking} recordings lack a camera" if lacking else "")


def _pairs(files: NtuFiles) -> Holding:
    name = "samples with both"
    both = files.video.keys() & files.skeleton.keys()
    alone = len(files.names) - len(both)
    if not files.video or not files.skeleton or not alone:
        kinds = "both files" if both else "one file"
        return Holding(name, "complete", f"all {len(files.names)} samples have {kinds}")
    detail = f"{alone} samples have one file of two, and prepare drops them"
    return Holding(name, "partial", detail)


def _missing_skeletons(raw: Path) -> Holding:
    name = "list of missing skeletons"
    found = sorted(p for p in raw.rglob("*.txt") if "missing" in p.name.lower())
    if not found:
        return Holding(name, "missing", "no *missing*.txt; published results leave 302 samples out")
    listed = looked_at(found[0], read_missing_skeletons)
    if isinstance(listed, str):
        return Holding(name, "wrong", listed)
    detail = f"{found[0]} has {len(listed.names)} samples; give it as missing_skeletons="
    return Holding(name, "complete" if len(listed.names) == 302 else "partial", detail)
