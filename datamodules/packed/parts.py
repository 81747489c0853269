"""What the manifests of parts say of the whole."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datamodules.packed.assemble import describe_arrays
from datamodules.packed.dataset import INDEX, MANIFEST, differences, file_hash
from datamodules.packed.errors import DataError
from datamodules.packed.source import fingerprint_of

LISTED = "listed"  # in a part's source: [name, size] of each raw file that it was made from
_SAME = ("format", "task", "protocol", "provenance", "settings")

Manifest = dict[str, Any]
Row = dict[str, str]


def joined_key(folders: Sequence[Path], manifests: Sequence[Manifest]) -> dict[str, Any]:
    """What the joined set has to agree in with one that is prepared at once.

    Raises:
        DataError: a part was made otherwise than the first, or is no part.
    """
    first = _essence(manifests[0])
    for folder, manifest in zip(folders, manifests, strict=True):
        different = differences(_essence(manifest), first)
        if different or LISTED not in manifest["source"]:
            raise DataError(
                f"{folder / MANIFEST}: expected a part made like {folders[0].name}, found "
                f"{'; '.join(different) or 'a whole set'}; prepare the part again"
            )
    listed = sorted({(name, size) for m in manifests for name, size in m["source"][LISTED]})
    common = {name: first[name] for name in _SAME}
    return {**common, "source": {**fingerprint_of(listed), **first["source"]}}


def _essence(manifest: Manifest) -> dict[str, Any]:
    of_the_part = {LISTED, *fingerprint_of([])}
    return {
        **{name: manifest[name] for name in _SAME},
        "source": {k: v for k, v in manifest["source"].items() if k not in of_the_part},
        "modalities": {
            modality: {"dtype": layout["dtype"], "shape": layout["shape"][1:]}
            for modality, layout in manifest["modalities"].items()
        },
    }


def joined_manifest(
    key: dict[str, Any],
    manifests: Sequence[Manifest],
    packed: Path,
    index: Sequence[Row],
    seconds: float,
) -> Manifest:
    """The manifest of the joined set: of its own arrays and index, and what the parts counted."""
    columns = manifests[0]["index"]["columns"]
    names = {row[columns[0]]: place for place, row in enumerate(index)}
    warnings = dict.fromkeys(warning for m in manifests for warning in m["warnings"])
    # those about one sample stand behind the others, in the order of the index
    ordered = sorted(warnings, key=lambda warning: names.get(warning.partition(": ")[0], -1))
    made = [manifest["made"] for manifest in manifests]
    return {
        **key,
        "modalities": describe_arrays(packed),
        "index": {"rows": len(index), "columns": columns, "sha256": file_hash(packed / INDEX)},
        "counts": _sums(manifest["counts"] for manifest in manifests),
        "dropped": dict(sorted(item for m in manifests for item in m["dropped"].items())),
        "warnings": ordered,
        "made": {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "seconds": round(sum(part["seconds"] for part in made) + seconds, 1),
            "versions": {name: v for part in made for name, v in part["versions"].items()},
        },
    }


def _sums(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        total |= {name: total.get(name, 0) + number for name, number in one.items()}
    return total
