"""The packed form that every prepared data set has, whatever its task.

manifest.json     what it is made from and how; sha256, shape and dtype of every array
index.csv         one row a sample
<modality>.npy    one plain array a modality, first axis = row of the index
"""

import csv
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.packed.errors import DataError, no_folder, reading
from datamodules.packed.schema import mistake

FORMAT = 1
MANIFEST, INDEX = "manifest.json", "index.csv"
LENGTH = "_length"  # ends the name of the array that has the lengths of a modality's samples
AGAIN = "copy the whole folder again or prepare again"


def canonical_hash(value: Any) -> str:
    """Hash of a JSON value that does not depend on the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file that is either whole or not there, also after a kill."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_index(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write one row a sample; all rows have the columns of the first."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(root: Path) -> dict[str, Any]:
    """Read a packed set's manifest.

    Raises:
        DataError: there is none, or it is not one that this version reads.
    """
    path = root / MANIFEST
    if not path.is_file():
        found = "a folder without one" if root.is_dir() else no_folder(root)
        raise DataError(
            f"{path}: expected a packed data set, found {found}; make one with scripts/prepare.py"
        )
    with reading(path, AGAIN):
        try:
            manifest = json.loads(path.read_text())
        except ValueError as error:
            raise DataError(f"{path}: expected a manifest in JSON: {error}; {AGAIN}") from error
    if isinstance(manifest, dict) and manifest.get("format", FORMAT) != FORMAT:
        found = manifest["format"]
        raise DataError(f"{path}: expected format {FORMAT}, found {found}; prepare again")
    if wrong := mistake(manifest):
        raise DataError(f"{path}: expected the manifest of a packed set, found {wrong}; {AGAIN}")
    return manifest


def manifest_hash(root: str | Path) -> str:
    """Hash of everything that the manifest says, except when and with which versions it was made.

    Runs are keyed by it: it changes with the source files, the settings and every array's bytes.
    """
    manifest = read_manifest(Path(root))
    return canonical_hash({key: value for key, value in manifest.items() if key != "made"})


def differences(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Entries in which two nested mappings differ, in words, by their dotted names."""
    one, other = _flat(there), _flat(wanted)
    return [
        f"{name}: {one.get(name)!r} there, {other.get(name)!r} wanted"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, entry in value.items():
        nested = isinstance(entry, Mapping)
        flat |= _flat(entry, f"{prefix}{name}.") if nested else {prefix + name: entry}
    return flat


class PackedDataset:
    """A packed set, opened and checked; arrays are memory maps that are read as they are used.

    Args:
        root: the packed folder.
        task: the task that it has to be of.
        protocol: the protocol that it has to be made under.

    Raises:
        DataError: another task or protocol, or a file is missing, cut off or not what the manifest
            says. Large arrays are checked by size, the index by its hash.
    """

    def __init__(self, root: str | Path, *, task: str, protocol: str) -> None:
        self.root = Path(root)
        self.manifest = read_manifest(self.root)
        for key, expected in (("task", task), ("protocol", protocol)):
            if self.manifest.get(key) != expected:
                raise DataError(
                    f"{self.root / MANIFEST}: expected {key} {expected}, found "
                    f"{self.manifest.get(key)}; train with {key}={self.manifest.get(key)}, or "
                    f"prepare the raw data again with {key}={expected} into another folder"
                )
        self.index = self._read_index()
        self.modalities: dict[str, dict[str, Any]] = self.manifest["modalities"]

    def __len__(self) -> int:
        return int(self.manifest["index"]["rows"])

    def numbers(self, column: str, *, below: int | None = None) -> np.ndarray:
        """Whole numbers of a column of the index, (N,).

        Args:
            column: such as `label` or `subject`.
            below: each has to be at least 0, and less than that.

        Raises:
            DataError: the column is not there, or holds something else.
        """
        path = self.root / INDEX
        if column not in self.index:
            raise DataError(f"{path}: expected a column {column}, found none; {AGAIN}")
        try:
            found = np.array(self.index[column], dtype=np.int64)
        except (ValueError, OverflowError) as error:
            raise DataError(f"{path}: expected whole numbers as {column}: {error}") from error
        if below is not None and not 0 <= found.min() <= found.max() < below:
            raise DataError(
                f"{path}: expected {column} from 0 to {below - 1}, found {found.min()} to "
                f"{found.max()}; prepare the data of this task alone"
            )
        return found

    def check_settings(self, wanted: Mapping[str, Any]) -> None:
        """Refuse a set that was made with other settings.

        Raises:
            DataError: names the setting, what is wanted and what the set was made with.
        """
        for key, value in wanted.items():
            found = self.manifest["settings"].get(key)
            if found != value:
                raise DataError(
                    f"{self.root / MANIFEST}: expected a set made with {key}={value}, found "
                    f"{found}; train with protocol.{key}={found}, or prepare the raw data again"
                )

    def array(self, modality: str) -> np.ndarray:
        """Memory map of one modality, (N, ...)."""
        if modality not in self.modalities:
            names = [name for name in self.modalities if not name.endswith(LENGTH)]
            raise DataError(
                f"{self.root}: expected the modality {modality}, found "
                f"{', '.join(names)}; choose among them, or prepare again with the "
                "missing files in the raw folder"
            )
        path = self.root / f"{modality}.npy"
        if not path.exists():
            raise DataError(f"{path}: expected a whole array, found no such file; {AGAIN}")
        with reading(path, f"the file is cut off or damaged: {AGAIN}"):
            array = np.lib.format.open_memmap(path, mode="r")
        expected = self.modalities[modality]
        found = {"shape": list(array.shape), "dtype": str(array.dtype)}
        if any(found[key] != expected[key] for key in found) or len(array) != len(self):
            raise DataError(
                f"{path}: expected {expected['dtype']} {expected['shape']} and {len(self)} rows, "
                f"found {found['dtype']} {found['shape']}: array and manifest are not of one set; "
                f"{AGAIN}"
            )
        return np.asarray(array)  # still on disk, but without memmap's cost for every slice

    def _read_index(self) -> dict[str, list[str]]:
        """Column -> one value a sample."""
        path = self.root / INDEX
        expected = self.manifest["index"]
        if not path.is_file() or file_hash(path) != expected["sha256"]:
            raise DataError(
                f"{path}: expected the index that the manifest describes ({expected['rows']} "
                f"rows), found another or none; {AGAIN}"
            )
        with reading(path, AGAIN), path.open(newline="") as file:
            rows = list(csv.DictReader(file))
            found = {column: [row[column] for row in rows] for column in expected["columns"]}
        if len(rows) != expected["rows"]:
            raise DataError(f"{path}: expected {expected['rows']} rows, found {len(rows)}; {AGAIN}")
        return found
