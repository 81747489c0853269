"""NTU RGB+D: raw files -> packed set of frames and skeletons."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path

from datamodules.formats.ntu_name import SampleName
from datamodules.formats.skeleton import JOINTS
from datamodules.ntu.bodies import PERSONS
from datamodules.ntu.clip import NtuSettings, PrepareSample, Sample
from datamodules.ntu.files import NtuFiles, find_ntu_files, read_missing_skeletons
from datamodules.packed.complete import sort_out, warn_of_few
from datamodules.packed.job import PrepareJob, pack
from datamodules.packed.source import fingerprint, rendered
from datamodules.packed.workers import cores

TASK = "ntu"
SAMPLES = 56_880  # of the whole data set
_LISTED = "listed as one with a missing skeleton"
_LONGEST = 300  # frames, of the data set: skeletons are padded to the longest that is packed
# For the estimate that is printed before the work begins, measured on one core: 1080p video takes a
# second for its 2.4 MB, frames that are decoded faster have fewer bytes.
_SECONDS_PER_SAMPLE = 0.005
_SECONDS_PER_VIDEO_BYTE = 1 / 2.4e6


def prepare_ntu(
    raw: str | Path,
    out: str | Path,
    *,
    protocol: str,
    settings: NtuSettings,
    missing_skeletons: str | Path | None = None,
    workers: int | None = None,
) -> Path:
    """Pack whatever a raw folder holds.

    Args:
        raw: folder with any of `S*_rgb.avi` (or another video) and `S*.skeleton`.
        out: the packed folder to make.
        protocol: name of the protocol that the settings belong to.
        settings: what acts here.
        missing_skeletons: list of the samples whose skeletons are missing or incomplete (302 are
            known in NTU RGB+D), in a form that `read_missing_skeletons` reads.
        workers: number of processes, by default one a core.

    Returns:
        The packed folder.

    Raises:
        DataError: nothing usable was found, or as `pack` says.
    """
    raw = Path(raw)
    listed_in = None if missing_skeletons is None else Path(missing_skeletons)
    files = find_ntu_files(raw)
    listed: set[str] = set()
    if listed_in is not None:
        missing = read_missing_skeletons(listed_in)
        listed, files.warnings = missing.names, files.warnings + missing.warnings
    there = {name: found for name, found in files.by_modality.items() if found}
    files.warnings += warn_of_few(there)
    _announce(files, list(there), listed_in, raw)
    left_out = listed if settings.listed_skeletons == "drop" else set()
    complete, dropped = sort_out(there)
    dropped |= dict.fromkeys(left_out & files.names.keys(), _LISTED)
    samples = {
        name: Sample(files.video.get(name), files.skeleton.get(name))
        for name in sorted(complete - left_out)
    }
    how = rendered(raw)
    used = [path for s in samples.values() for path in (s.video, s.skeleton) if path is not None]
    job = PrepareJob(
        task=TASK,
        protocol=protocol,
        provenance="sample" if how else "real",
        settings=asdict(settings),
        source={**fingerprint([*used, *([listed_in] if listed_in else [])], raw), **how},
        index=[_index_row(files.names[sample], listed) for sample in samples],
        items=list(samples.values()),
        work=PrepareSample(raw, settings),
        bytes_per_sample=_bytes_per_sample(settings, there),
        seconds_per_sample=_seconds_per_sample(samples.values()),
        dropped={name: dropped[name] for name in sorted(dropped)},
        warnings=files.warnings,
        libraries=("numpy", "av", "opencv-python-headless"),
    )
    return pack(job, out, workers=workers or cores())


def _announce(files: NtuFiles, modalities: list[str], listed: Path | None, raw: Path) -> None:
    print(f"found in {raw}: {len(files.video)} videos, {len(files.skeleton)} skeleton files")
    if files.skeleton and listed is None and len(files.names) > SAMPLES // 2:
        files.warnings.append(
            "no list of missing skeletons was given (missing_skeletons=<file>): 302 samples of the "
            "data set have incomplete ones, and published results leave them out"
        )
    for warning in files.warnings:
        print(f"warning: {warning}")
    print(f"packing: {', '.join(modalities)}")


def _index_row(name: SampleName, listed: set[str]) -> dict[str, object]:
    return {
        "id": name.id,
        "subject": name.subject,
        "camera": name.camera,
        "setup": name.setup,
        "replication": name.replication,
        "label": name.label,
        "listed": int(name.id in listed),
    }


def _seconds_per_sample(samples: Collection[Sample]) -> float:
    videos = [s.video.stat().st_size for s in samples if s.video is not None]
    return _SECONDS_PER_SAMPLE + sum(videos) * _SECONDS_PER_VIDEO_BYTE / max(len(samples), 1)


def _bytes_per_sample(settings: NtuSettings, modalities: Iterable[str]) -> int:
    sizes = {
        "video": settings.frames * settings.size**2 * 3,
        "skeleton": (3 * _LONGEST * JOINTS * PERSONS + 1) * 4,
    }
    return sum(sizes[name] for name in modalities)
