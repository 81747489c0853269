"""The packed folder before and after the work: whether it is made already, and what came of it."""

from pathlib import Path
from typing import Any

from datamodules.packed.dataset import MANIFEST, differences, read_manifest
from datamodules.packed.errors import DataError

_LISTED = 10  # dropped samples that are listed at the end


def is_same(out: Path, key: dict[str, Any]) -> bool:
    """Whether `out` holds the set of this key; False where there is nothing, or an empty folder.

    Raises:
        DataError: it holds something else.
    """
    if not out.exists():
        return False
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
        return False
    if not (out / MANIFEST).is_file():
        raise DataError(
            f"{out}: expected no folder, an empty one or a packed set, found other files; choose "
            "another out"
        )
    manifest = read_manifest(out)
    different = differences({name: manifest.get(name) for name in key}, key)
    if different:
        raise DataError(
            f"{out}: holds a packed set made otherwise ({'; '.join(different)}); "
            "choose another out, or move that folder away"
        )
    print(f"{out} is complete: nothing to do")
    return True


def report(manifest: dict[str, Any]) -> None:
    """Say how many samples a new set has, how many it lacks, and why."""
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in manifest["counts"].items())
    print(f"done in {manifest['made']['seconds']:.0f} s: {counts}")
    for name, reason in list(manifest["dropped"].items())[:_LISTED]:
        print(f"dropped {name}: {reason}")
    if len(manifest["dropped"]) > _LISTED:
        print(f"... all of them, with their reasons, in {MANIFEST}")
