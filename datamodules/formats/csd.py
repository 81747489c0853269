"""Computational sequences of the CMU multimodal SDK: `.csd` files, which are HDF5.

    /<root>/data/<video>/intervals   (n, 2) seconds
    /<root>/data/<video>/features    (n, d)
    /<root>/metadata/<field>         one string each, JSON or plain

The root's name differs from file to file. A video can be cut into pieces, `<video>[<i>]`. Nothing
is read before it is asked for, and then one video at a time: memory does not grow with the file.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from datamodules.packed.errors import DataError

_AGAIN = "fetch the file again"
_MOST = 1032  # times smaller than its content is what HDF5 can store of it: deflate does no better


class CsdFile:
    """An open `.csd` file.

    Args:
        path: the file.

    Attributes:
        root: name of the root group.
        metadata: the fields that could be read, as plain values; the SDK takes one that is no JSON
            as plain text. None has to be there.
        videos: the video ids, in the order of the file.

    Raises:
        DataError: it is no HDF5, cut off or without data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _open(path)
        try:
            self.root = next(iter(self._file), "")
            self.metadata = self._read_metadata()
            self._data = self._member(f"{self.root}/data")
            self._pieces: dict[str, list[str]] = {}
            for name in self._data:
                self._pieces.setdefault(name.partition("[")[0], []).append(name)
            if not self._pieces:
                raise DataError(
                    f"{path}: expected videos in {self.root}/data, found none; {_AGAIN}"
                )
        except BaseException:
            self._file.close()
            raise
        self.videos = list(self._pieces)
        self._columns: int | None = None  # known from the first video that is looked at
        self._current: tuple[str, list[tuple[Any, Any]]] = ("", [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def __contains__(self, video: str) -> bool:
        return video in self._pieces

    @property
    def columns(self) -> int:
        """Columns of the features, the same in every video."""
        if self._columns is None:
            self._datasets(self.videos[0])
        assert self._columns is not None
        return self._columns

    def intervals(self, video: str) -> np.ndarray:
        """Begin and end of every row of a video, (n, 2) float64 seconds.

        Raises:
            DataError: an interval runs backwards or is no finite number.
        """
        parts = [self._read(intervals, video) for intervals, _ in self._datasets(video)]
        times = _joined(parts).astype(np.float64)
        if not (np.isfinite(times).all() and (times[:, 0] <= times[:, 1]).all()):
            wrong = ~np.isfinite(times).all(1) | (times[:, 0] > times[:, 1])
            row = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"{self.path}: expected intervals that begin before they end, found "
                f"{times[row].tolist()} in row {row} of {video} ({wrong.sum()} such rows); {_AGAIN}"
            )
        return times

    def features(self, video: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Rows of a video, (n, d) as stored.

        Args:
            video: its id.
            rows: (n,) the rows wanted, in any order; all of them if not given. What lies between
                the first and the last is read too.
        """
        datasets = self._datasets(video)
        if rows is None or len(datasets) > 1:
            whole = _joined([self._read(features, video) for _, features in datasets])
            return whole if rows is None else whole[rows]
        first, last = (int(rows.min()), int(rows.max())) if len(rows) else (0, -1)
        return self._read(datasets[0][1], video, slice(first, last + 1))[rows - first]

    def _datasets(self, video: str) -> list[tuple[Any, Any]]:
        """The checked pieces of a video: intervals and features, not read yet."""
        if self._current[0] != video:
            self._current = (video, [self._piece(name) for name in self._pieces[video]])
        return self._current[1]

    def _piece(self, name: str) -> tuple[Any, Any]:
        where = f"{self.root}/data/{name}"
        intervals, features = self._member(f"{where}/intervals"), self._member(f"{where}/features")
        shapes = tuple(getattr(intervals, "shape", ())), tuple(getattr(features, "shape", ()))
        if len(shapes[0]) != 2 or shapes[0][1] != 2 or len(shapes[1]) != 2:
            raise DataError(
                f"{self.path}: expected intervals (n, 2) and features (n, d) in {name}, found "
                f"{shapes[0]} and {shapes[1]}; {_AGAIN}"
            )
        for dataset, kinds in ((intervals, "fiu"), (features, "fiuSO")):  # words are features too
            if problem := _problem(dataset, kinds):
                raise DataError(f"{self.path}: {dataset.name}: {problem}; {_AGAIN}")
        if shapes[0][0] != shapes[1][0]:
            raise DataError(
                f"{self.path}: expected as many intervals as features in {name}, found "
                f"{shapes[0][0]} intervals and {shapes[1][0]} rows of features; {_AGAIN}"
            )
        self._columns = self._columns or shapes[1][1]
        if shapes[1][1] != self._columns:
            raise DataError(
                f"{self.path}: expected {self._columns} columns in {name}, as in the other videos, "
                f"found {shapes[1][1]}; {_AGAIN}"
            )
        return intervals, features

    def _member(self, name: str) -> Any:
        """Return a group or a data set that lies in this file, and not behind a link.

        Raises:
            DataError: there is none that can be read, or the way to it leads elsewhere.
        """
        import h5py

        try:
            found: Any = self._file
            for part in name.split("/"):
                link = found.get(part, getlink=True)
                if link is not None and not isinstance(link, h5py.HardLink):
                    raise DataError(
                        f"{self.path}: expected {name} itself, found a link at {part}: a link can "
                        f"read another file of yours as if it were data; {_AGAIN}"
                    )
                found = found[part]
            return found
        except (KeyError, OSError, AttributeError) as error:
            raise DataError(
                f"{self.path}: expected {name}, as in a .csd file of the CMU multimodal SDK, found "
                f"none that can be read; {_AGAIN}"
            ) from error

    def _read(self, dataset: Any, video: str, rows: slice = slice(None)) -> np.ndarray:
        try:
            return np.asarray(dataset[rows])
        except OSError as error:
            raise DataError(
                f"{self.path}: expected readable data of {video}, found {error}; {_AGAIN}"
            ) from error

    def _read_metadata(self) -> dict[str, Any]:
        """Fields that hold no text are left out."""
        metadata: dict[str, Any] = {}
        group = self._file.get(f"{self.root}/metadata") if self.root else None
        for field, dataset in (group or {}).items():
            if _problem(dataset, "SO"):
                continue
            try:
                value = np.asarray(dataset[()]).reshape(-1)[0]
            except (ValueError, TypeError, IndexError, OSError, AttributeError):
                continue
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            if not isinstance(text, str):
                continue
            try:
                metadata[field] = json.loads(text)
            except ValueError:
                metadata[field] = text
        return metadata


def _problem(dataset: Any, kinds: str) -> str:
    """Say what is wrong with where a data set's content lies, before it is read.

    Args:
        dataset: of HDF5.
        kinds: that its type may have, as NumPy writes them.
    """
    if dataset.dtype.kind not in kinds:
        return (
            f"expected {'numbers' if kinds == 'fiu' else 'numbers or words'}, found {dataset.dtype}"
        )
    if dataset.external or dataset.is_virtual:
        return "expected its content in this file, found that it is read from another file of yours"
    stored = dataset.id.get_storage_size()
    packed = dataset.id.get_create_plist().get_nfilters() > 0
    if dataset.nbytes > stored * (_MOST if packed else 1):
        return f"expected {dataset.nbytes} bytes, found {stored} stored"
    return ""


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """One array; a single part is not copied, which would take longer than to read it."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _open(path: Path) -> Any:
    import h5py

    if not path.is_file():
        raise DataError(f"{path}: expected a .csd file, found no such file")
    if not h5py.is_hdf5(path):
        raise DataError(
            f"{path}: expected HDF5, found {path.stat().st_size} bytes of something else (often "
            f"the error page of a server); {_AGAIN}"
        )
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(
            f"{path}: expected a whole HDF5 file, found one that is cut off or damaged ({error}); "
            f"{_AGAIN}"
        ) from error
