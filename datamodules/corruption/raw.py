"""Corrupted raw files, which go through `prepare` into a packed copy of their own."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np

from datamodules.corruption.base import Corruption
from datamodules.packed.batch import Change
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.dataset import MANIFEST, PackedDataset, canonical_hash
from datamodules.packed.errors import DataError


class RawCorruption(Corruption):
    """Writes corrupted raw files, packs them, and puts those rows in the place of a set's own.

    A copy is made once for each packed set and strength. An interrupted one is made again.
    """

    needs_raw = True
    arrays: ClassVar[Sequence[str]]  # those of the copy that are used

    @abstractmethod
    def pack_copy(
        self, data: PackedDataModule, raw: Path | None, work: Path, out: Path, strength: float
    ) -> None:
        """Write corrupted raw files into `work`, and prepare them into `out` as `data` was.

        Args:
            data: set up.
            raw: the raw files, if the user named them or the sample has them.
            work: an empty folder, deleted afterwards.
            out: the packed copy to make.
            strength: in the corruption's unit.
        """

    def read(self, copy: PackedDataset, name: str) -> np.ndarray:
        """Return an array of the copy, as the datamodule loads it, `(N, ...)`."""
        return copy.array(name)

    def changes(
        self,
        data: PackedDataModule,
        modality: str,
        strength: float,
        *,
        raw: Path | None,
        copies: Path,
    ) -> Mapping[str, Change]:
        name = type(self).__name__
        raw = raw or (data.sample.raw if data.sample else None)
        key = canonical_hash({"of": data.manifest_hash, "by": name, "strength": strength})[:12]
        out = copies / f"{modality}-{name}-{strength:g}-{key}"
        if not (out / MANIFEST).is_file():
            copies.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=copies, prefix=".raw-") as work:
                self.pack_copy(data, raw, Path(work), out, strength)
        copy = PackedDataset(out, task=data.task, protocol=data.protocol)
        rows = _matching(data.ids, copy)
        there = data.evaluation_rows.arrays
        return {n: _Replaced.of(self.read(copy, n), rows, there[n], out / n) for n in self.arrays}


def needed(raw: Path | None, what: str, root: Path) -> Path:
    """Return the raw folder.

    Raises:
        DataError: the user has named none.
    """
    if raw is None:
        raise DataError(
            f"{what} acts on raw files: expected raw=<the raw folder that {root} was made from>, "
            "found none; give it, or choose other corruptions by only="
        )
    return raw


def _matching(ids: Sequence[str], copy: PackedDataset) -> np.ndarray:
    """Return for each id its row in the copy.

    Raises:
        DataError: the copy lacks some.
    """
    place = {name: row for row, name in enumerate(copy.index["id"])}
    missing = [name for name in ids if name not in place]
    if missing:
        raise DataError(
            f"{copy.root}: expected all {len(ids)} samples of the packed set, found "
            f"{len(ids) - len(missing)}, without {missing[0]}: give the raw folder that the set "
            "was made from, and delete this copy"
        )
    return np.array([place[name] for name in ids])


@dataclass(frozen=True)
class _Replaced:
    """Rows of a packed copy in the place of a set's own."""

    array: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, array: np.ndarray, rows: np.ndarray, like: np.ndarray, where: Path) -> "_Replaced":
        """Check that the copy has the form of the original.

        Raises:
            DataError: it has another.
        """
        if array.shape[1:] != like.shape[1:] or array.dtype != like.dtype:
            raise DataError(
                f"{where}: expected {like.dtype} {like.shape[1:]} a sample, found {array.dtype} "
                f"{array.shape[1:]}: the copy was made with other settings; delete it"
            )
        return cls(array, rows)

    def __call__(self, values: np.ndarray, row: int) -> np.ndarray:
        return np.array(self.array[self.rows[row]])
