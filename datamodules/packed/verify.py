"""Is a packed set still what its manifest says, to the last byte?"""

from pathlib import Path

from datamodules.packed.dataset import INDEX, MANIFEST, file_hash, read_manifest
from datamodules.packed.errors import DataError
from datamodules.packed.workers import progress


def verify_packed(root: str | Path) -> None:
    """Read every byte of a packed set and compare with the manifest; prints what was compared.

    Training checks types, shapes and sizes at every start, and the index by its hash. What those
    cannot see, such as rows in another order, only reading everything can. What the manifest says
    of settings and sources is taken at its word.

    Args:
        root: the packed folder.

    Raises:
        DataError: names each file that differs, and what to do.
    """
    root = Path(root)
    manifest = read_manifest(root)
    expected = {f"{name}.npy": entry["sha256"] for name, entry in manifest["modalities"].items()}
    expected[INDEX] = manifest["index"]["sha256"]
    wrong, size = [], 0
    with progress("verifying", len(expected)) as done:
        for name, wanted in expected.items():
            path = root / name
            found = file_hash(path) if path.is_file() else "no file"
            if found != wanted:
                wrong.append(f"{name} (sha256 expected {wanted[:8]}, found {found[:8]})")
            size += path.stat().st_size if path.is_file() else 0
            done(1)
    if wrong:
        raise DataError(
            f"{root / MANIFEST}: expected the files that it describes, found others: "
            f"{', '.join(wrong)}; copy the folder again from where it is whole, or prepare again "
            "into another folder"
        )
    print(f"{root}: {len(expected)} files, {size / 1e9:.2f} GB, are what {MANIFEST} says")
