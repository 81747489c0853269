"""UTD-MHAD: published `.mat` files -> packed set of skeletons, inertial signals and depth."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from datamodules.formats.utd_mhad import CHANNELS, JOINTS
from datamodules.formats.utd_mhad_name import RecordingName
from datamodules.packed.complete import sort_out, warn_of_few
from datamodules.packed.job import PrepareJob, pack
from datamodules.packed.source import fingerprint, rendered
from datamodules.packed.workers import cores
from datamodules.utd_mhad.files import UtdMhadFiles, find_utd_mhad_files
from datamodules.utd_mhad.recording import PrepareRecording, UtdMhadSettings

TASK = "utd_mhad"
_LONGEST = {"skeleton": 125, "inertial": 326}  # of the data set; shorter ones are padded
_SECONDS = {"skeleton": 0.002, "inertial": 0.002, "depth": 0.04}  # a file, on one core


def prepare_utd_mhad(
    raw: str | Path,
    out: str | Path,
    *,
    protocol: str,
    settings: UtdMhadSettings,
    workers: int | None = None,
) -> Path:
    """Pack whatever modality a raw folder holds.

    A recording without one of the modalities that are packed is dropped, with the reason.

    Args:
        raw: folder with any of `a*_s*_t*_skeleton.mat`, `_inertial.mat` and `_depth.mat`.
        out: the packed folder to make.
        protocol: name of the protocol that the settings belong to.
        settings: what acts here.
        workers: number of processes, by default one a core.

    Returns:
        The packed folder.

    Raises:
        DataError: nothing usable was found, or as `pack` says.
    """
    raw = Path(raw)
    files = find_utd_mhad_files(raw)
    there = {name: found for name, found in files.by_modality.items() if found}
    files.warnings += warn_of_few(there)
    _announce(files, list(there), raw)
    complete, lacking = sort_out(there)
    items = {name: {m: there[m][name] for m in there} for name in sorted(complete)}
    how = rendered(raw)
    used = [path for item in items.values() for path in item.values()]
    job = PrepareJob(
        task=TASK,
        protocol=protocol,
        provenance="sample" if how else "real",
        settings=asdict(settings),
        source={**fingerprint(used, raw), **how},
        index=[_index_row(name) for name in items],
        items=list(items.values()),
        work=PrepareRecording(raw, settings),
        bytes_per_sample=_bytes(settings, there),
        seconds_per_sample=sum(_SECONDS[name] for name in there),
        dropped={name.id: lacking[name] for name in sorted(lacking)},
        warnings=files.warnings,
        libraries=("numpy", "scipy"),
    )
    return pack(job, out, workers=workers or cores())


def _announce(files: UtdMhadFiles, modalities: list[str], raw: Path) -> None:
    counts = (f"{len(there)} {name} files" for name, there in files.by_modality.items())
    print(f"found in {raw}: {', '.join(counts)}")
    for warning in files.warnings:
        print(f"warning: {warning}")
    print(f"packing: {', '.join(modalities)}")


def _index_row(name: RecordingName) -> dict[str, object]:
    return {"id": name.id, "subject": name.subject, "trial": name.trial, "label": name.label}


def _bytes(settings: UtdMhadSettings, modalities: Iterable[str]) -> int:
    """Of one recording, padded to the longest."""
    sizes = {
        "skeleton": (3 * _LONGEST["skeleton"] * JOINTS + 1) * 4,
        "inertial": (CHANNELS * _LONGEST["inertial"] + 1) * 4,
        "depth": settings.frames * settings.size**2 * 2,
    }
    return sum(sizes[name] for name in modalities)
